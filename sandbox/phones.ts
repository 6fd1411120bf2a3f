import { randomBytes } from 'node:crypto';
import type { Entry, Ledger } from './ledger.ts';

export interface Reply {
  sid: string;
  at: Date;
  /** The virtual phone. */
  from: string;
  to: string;
  body: string;
}

/** Customers answer few of a million messages, but a script may answer all. */
const MAX_REPLIES = 10_000;
const MAX_MESSAGES = 50;
const MAX_PHONES = 50;

export type Phones = ReturnType<typeof createPhones>;

/** The virtual phones: the messages that each received, and its answers. */
export function createPhones(ledger: Ledger) {
  const replies: Reply[] = [];

  return {
    /** The last message, from that sender if one is given; null: there is none. */
    lastTo(phone: string, sender?: string): Entry | null {
      for (const entry of ledger.newestFirst(phone)) {
        if (sender === undefined || entry.from === sender) return entry;
      }
      return null;
    },
    /** Its sid. */
    addReply(reply: Omit<Reply, 'sid' | 'at'>): string {
      const sid = `SM${randomBytes(16).toString('hex')}`;
      if (replies.push({ ...reply, sid, at: new Date() }) > MAX_REPLIES) replies.shift();
      return sid;
    },
    /** The answers of the phones, newest first. */
    newestFirst: (): Reply[] => replies.toReversed(),
    /** The last messages to and from a phone, newest first. */
    conversation(phone: string) {
      const received = [];
      for (const { sid, at, from, body, status } of ledger.newestFirst(phone)) {
        received.push({ direction: 'received', sid, at, other: from, body, status });
        if (received.length === MAX_MESSAGES) break;
      }
      const written = replies
        .filter((reply) => reply.from === phone)
        .map(({ sid, at, to, body }) => ({
          direction: 'written',
          sid,
          at,
          other: to,
          body,
          status: 'received',
        }));
      const messages = [...received, ...written].sort((a, b) => b.at.getTime() - a.at.getTime());
      return { phone, messages: messages.slice(0, MAX_MESSAGES) };
    },
    /** The phones with the latest messages, newest first, each with its last message. */
    latest() {
      const phones = new Map<string, { phone: string; at: Date; other: string; body: string }>();
      for (const { to, at, from, body } of ledger.newestFirst()) {
        if (!phones.has(to)) phones.set(to, { phone: to, at, other: from, body });
        if (phones.size === MAX_PHONES) break;
      }
      return { phones: [...phones.values()] };
    },
  };
}
