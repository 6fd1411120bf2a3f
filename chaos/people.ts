import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCallbacks } from '../sandbox/callbacks.ts';
import type { Line } from './contacts.ts';
import type { GatewayClient, Taken } from './gateway.ts';

/** A reply to us, and the API's answer to the provider that delivered it. */
export interface SentReply {
  sid: string;
  line: Line;
  optsOut: boolean;
  /** When the first of its copies was answered with a 2xx; null: none was. */
  acknowledgedAt: Date | null;
}

export interface People {
  /** Simulated customers, who reply after a delay, by the provider's webhook, sometimes repeatedly. */
  read(taken: Taken, line: Line): void;
  replies: SentReply[];
  /** Resolves when the API has accepted all of them, or they were given up. */
  done(): Promise<void>;
  close(): Promise<void>;
}

const retryMs = 1_000;
const giveUpMs = 180_000;

export function createPeople({
  account,
  webhookOf,
}: {
  account: GatewayClient['account'];
  /** Where the replies to this campaign's messages are posted. */
  webhookOf: (campaign: string) => string;
}): People {
  const callbacks = createCallbacks({ authToken: account.authToken, connections: 20 });
  const replies: SentReply[] = [];
  const answered = new Set<Line>();
  const underWay = new Set<Promise<void>>();

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
    read(taken, line) {
      const { answer } = line;
      if (answer === null || answered.has(line)) return;
      answered.add(line);
      const sid = `SM${createHash('md5').update(line.code).digest('hex')}`;
      const reply: SentReply = { sid, line, optsOut: answer.optsOut, acknowledgedAt: null };
      replies.push(reply);
      const posting = (async () => {
        await sleep(Math.max(0, taken.at.getTime() + answer.afterMs - Date.now()));
        await Promise.all(Array.from({ length: answer.copies }, () => deliver(reply, answer.text)));
      })();
      underWay.add(posting);
      void posting.finally(() => underWay.delete(posting));
    },
    replies,
    async done() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    close: () => callbacks.close(),
  };
}
