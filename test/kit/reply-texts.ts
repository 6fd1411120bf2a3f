import { readFileSync } from 'node:fs';

/** Reads replies as customers write them, one per line. `\n` is a line break. Every new miss or false alarm adds its text. */
const readReplies = (file: string): string[] =>
  readFileSync(new URL(`../replies/${file}`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll('\\n', '\n'));

/** They ask for no more messages, or the phone has another owner. */
export const probableOptOuts = readReplies('probable-opt-outs.txt');

/** They are about something else: orders, visits, invoices, questions. */
export const otherReplies = readReplies('others.txt');
