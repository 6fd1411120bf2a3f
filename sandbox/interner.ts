/** Stores each distinct text once. */
export function interner() {
  const ids = new Map<string, number>();
  const values: string[] = [];
  return {
    idOf(value: string): number {
      let id = ids.get(value);
      if (id === undefined) {
        id = values.push(value) - 1;
        ids.set(value, id);
      }
      return id;
    },
    valueOf: (id: number): string => values[id] ?? '',
  };
}
