import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * A file of lines. Calls `read` with each existing line, and cuts off a half-written last line of a killed process.
 * Then appends lines: one write at a time, each with all lines that have arrived since the last.
 */
export async function openAppendLog(path: string, read: (line: Buffer) => void) {
  const handle = await open(path, 'a');
  await handle.truncate(await readLines(path, read));
  let last = Promise.resolve();
  let waiting: string[] | null = null;
  return {
    /** Resolves when the operating system has the line: it survives a crash of this process, but not a power cut. */
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
    /** Resolves when the operating system has all lines appended so far. */
    written: (): Promise<void> => last,
    async close(): Promise<void> {
      await last;
      await handle.close();
    },
  };
}

const LINE_FEED = 0x0a;

/** The length up to the last whole line's end. Not `readline`: it also ends lines at U+2028, which texts may have. */
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
