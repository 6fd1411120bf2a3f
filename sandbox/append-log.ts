import { open } from 'node:fs/promises';

/** A file of NDJSON lines: one write at a time, each of all the lines that have come since the last. */
export async function openAppendLog(path: string) {
  const handle = await open(path, 'a');
  let waiting: object[] = [];
  let writing: Promise<void> | null = null;
  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      await handle.appendFile(lines.map((line) => JSON.stringify(line) + '\n').join(''));
    }
    writing = null;
  };
  return {
    append(line: object): void {
      waiting.push(line);
      writing ??= write();
    },
    async close(): Promise<void> {
      await writing;
      await handle.close();
    },
  };
}
