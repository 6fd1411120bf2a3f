/**
 * Combines all keys requested in the same turn of the event loop into one call: `load` receives all of them, and
 * returns an answer for each, in the same order.
 */
export function createGather<Key, Value>(load: (keys: readonly Key[]) => Promise<readonly Value[]>) {
  interface Asked {
    key: Key;
    answer: (value: Promise<Value> | Value) => void;
  }
  let asked: Asked[] = [];

  const loadAll = async (all: readonly Asked[]): Promise<void> => {
    const loaded = load(all.map(({ key }) => key));
    for (const [index, { answer }] of all.entries()) {
      answer(
        loaded.then((values) => {
          const value = values[index];
          if (value === undefined) throw new Error('There is no answer for one of the keys.');
          return value;
        }),
      );
    }
    await loaded.catch(() => undefined);
  };

  return (key: Key): Promise<Value> =>
    new Promise((resolve) => {
      asked.push({ key, answer: resolve });
      if (asked.length > 1) return;
      setImmediate(() => {
        const all = asked;
        asked = [];
        void loadAll(all);
      });
    });
}
