import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCallbacks } from '../sandbox/callbacks.ts';
import type { Line } from './contacts.ts';
import type { AcceptedMessage, GatewayClient } from './gateway.ts';

/** A customer's reply, and whether the API accepted it from the provider. */
export interface SentReply {
  sid: string;
  line: Line;
  optsOut: boolean;
  /** The time of the first 2xx answer to one of its copies; null: there was none. */
  acknowledgedAt: Date | null;
}

/** Simulated customers, who reply after a delay through the provider's webhook, sometimes repeatedly. */
export interface Customers {
  receive(message: AcceptedMessage, line: Line): void;
  replies: SentReply[];
  /** Resolves when the API has accepted all replies, or their time limit has passed. */
  done(): Promise<void>;
  close(): Promise<void>;
}

const retryMs = 1_000;
const giveUpMs = 180_000;

export function createCustomers({
  account,
  webhookOf,
}: {
  account: GatewayClient['account'];
  /** The URL for the replies to this campaign's messages. */
  webhookOf: (campaign: string) => string;
}): Customers {
  const callbacks = createCallbacks({ authToken: account.authToken, connections: 20 });
  const replies: SentReply[] = [];
  const answered = new Set<Line>();
  const pending = new Set<Promise<void>>();

  const deliver = async (reply: SentReply, text: string): Promise<void> => {
    const form = {
      AccountSid: account.accountSid,
      ApiVersion: '2010-04-01',
      MessageSid: reply.sid,
      SmsStatus: 'received',
      From: reply.line.phone,
      To: account.from,
      Body: text,
    };
    const giveUpAt = Date.now() + giveUpMs;
    while (Date.now() < giveUpAt) {
      const status = await callbacks.post(webhookOf(reply.line.campaign), form).catch(() => null);
      if (status !== null && status >= 200 && status < 300) {
        reply.acknowledgedAt ??= new Date();
        return;
      }
      await sleep(retryMs);
    }
  };

  return {
    receive(message, line) {
      const { answer } = line;
      if (answer === null || answered.has(line)) return;
      answered.add(line);
      const sid = `SM${createHash('md5').update(line.code).digest('hex')}`;
      const reply: SentReply = { sid, line, optsOut: answer.optsOut, acknowledgedAt: null };
      replies.push(reply);
      const posting = (async () => {
        await sleep(Math.max(0, message.at.getTime() + answer.afterMs - Date.now()));
        await Promise.all(Array.from({ length: answer.copies }, () => deliver(reply, answer.text)));
      })();
      pending.add(posting);
      void posting.finally(() => pending.delete(posting));
    },
    replies,
    async done() {
      while (pending.size > 0) await Promise.all(pending);
    },
    close: () => callbacks.close(),
  };
}
