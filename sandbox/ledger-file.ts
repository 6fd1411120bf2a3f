import { z } from 'zod';
import { openAppendLog } from './append-log.ts';

/** The length of a sid's prefix in bytes: the rest is the number of the message, in 8 hexadecimal digits. */
const PREFIX_LENGTH = 26;

/** The beginning of each line. */
const sidAtStart = /^\{"at":"[^"]+","sid":"(SM[0-9a-f]{32})"/;
const SID_WITHIN_BYTES = 100;

const line = z.object({
  at: z.iso.datetime(),
  sid: z.string().regex(/^SM[0-9a-f]{32}$/),
  to: z.string().regex(/^\+[1-9]\d{7,14}$/),
  from: z.string(),
  body: z.string(),
  reference: z.string().nullable(),
  segments: z.int(),
  statusCallback: z.string().nullable(),
});
export type LedgerLine = z.infer<typeof line>;

/**
 * A ledger on disk: `path` has one NDJSON line for each accepted message, in order; `path` + `.finished` has one sid
 * for each message whose final receipt has arrived. Calls `owed` with the messages of earlier processes whose receipts
 * are still pending. Both files are streamed: a million messages, of which nearly all are finished, take seconds and no
 * memory. Lines from before receipts were stored name no callback, and have no pending receipts.
 */
export async function openLedgerFile(path: string, owed: (taken: LedgerLine) => void) {
  const finished = createSidSet();
  const marks = await openAppendLog(`${path}.finished`, (sid) => finished.add(sid.toString()));
  const messages = await openAppendLog(path, (text) => {
    // Nearly all are finished, and parsing them would take most of the start.
    const sid = sidAtStart.exec(text.toString('latin1', 0, SID_WITHIN_BYTES))?.[1];
    if (sid === undefined || finished.has(sid)) return;
    const taken = line.safeParse(parseJson(text.toString())).data;
    if (taken && taken.statusCallback !== null) owed(taken);
  });
  return {
    append(taken: LedgerLine): void {
      void messages.append(JSON.stringify(taken));
    },
    /** The final receipt has arrived: no receipt is pending. */
    finish(sid: string): void {
      void marks.append(sid);
    },
    /** Resolves when the messages appended so far survive a crash of this process. */
    written: messages.written,
    async close(): Promise<void> {
      await messages.close();
      await marks.close();
    },
  };
}

/** Undefined: not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One bit for each message, because the numbers under one prefix begin at 0 and have few gaps. */
function createSidSet() {
  const sets = new Map<string, Uint8Array>();
  const numberOf = (sid: string): number => Number.parseInt(sid.slice(PREFIX_LENGTH), 16);
  return {
    add(sid: string): void {
      if (!/^SM[0-9a-f]{32}$/.test(sid)) return;
      const prefix = sid.slice(0, PREFIX_LENGTH);
      const number = numberOf(sid);
      let bits = sets.get(prefix) ?? new Uint8Array(0);
      const byte = number >>> 3;
      if (byte >= bits.length) {
        const larger = new Uint8Array(Math.max(2 * bits.length, byte + 1));
        larger.set(bits);
        sets.set(prefix, larger);
        bits = larger;
      }
      bits[byte] = (bits[byte] ?? 0) | (1 << (number & 7));
    },
    has(sid: string): boolean {
      const number = numberOf(sid);
      const byte = sets.get(sid.slice(0, PREFIX_LENGTH))?.[number >>> 3] ?? 0;
      return (byte & (1 << (number & 7))) !== 0;
    },
  };
}
