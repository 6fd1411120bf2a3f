import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * A file of lines. `read` is given each line that is there; what a killed process left of a half-written last line is cut
 * off. Then lines are appended: one write at a time, each of all the lines that have come since the last.
 */
export async function openAppendLog(path: string, read: (line: Buffer) => void) {
  const handle = await open(path, 'a');
  await handle.truncate(await readLines(path, read));
  let last = Promise.resolve();
  let waiting: string[] | null = null;
  return {
    /** Resolves when the system has the line: it outlives this process then, but not a power cut. */
    append(line: string): Promise<void> {
      if (waiting === null) {
        const lines: string[] = [];
        waiting = lines;
        last = last.then(() => {
          waiting = null;
          return handle.appendFile(lines.join(''));
        });
      }
      waiting.push(line + '\n');
      return last;
    },
    /** Resolves when the system has all lines appended so far. */
    written: (): Promise<void> => last,
    async close(): Promise<void> {
      await last;
      await handle.close();
    },
  };
}

const LINE_FEED = 0x0a;

/** The bytes up to the end of the last whole line. Not `readline`: it also ends lines at U+2028, which texts may hold. */
async function readLines(path: string, read: (line: Buffer) => void): Promise<number> {
  let bytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const block = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = block.indexOf(LINE_FEED); end !== -1; end = block.indexOf(LINE_FEED, start)) {
      read(block.subarray(start, end));
      start = end + 1;
    }
    bytes += start;
    rest = block.subarray(start);
  }
  return bytes;
}
