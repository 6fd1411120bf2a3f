import { toUSVString } from 'node:util';
import { cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { Database } from '../db/core/client.ts';
import type { PhoneHash } from '../db/core/phone-hash.ts';
import { asksForPhone, recordReplyIntents, lockForOptOuts } from '../db/customers/opt-outs.ts';
import { type ListedMove, listCandidates, recordListed } from '../db/messages/unknown.ts';
import { insertInboundEvents } from '../db/replies/inbound.ts';
import { keepReplies } from '../db/replies/reading.ts';
import {
  lastRestore,
  listCatchUps,
  recordCatchUp,
  type RestoreRow,
  decideIfAsked,
} from '../db/runs/restores.ts';
import { canonicalPhone } from '../domain/phone.ts';
import { writerOf } from '../domain/reply.ts';
import type { ListEntry, Provider } from '../sms/provider.ts';
import type { Providers } from './providers.ts';

/** A message may appear in a provider's list some minutes after it was accepted, and the clocks differ. */
const slackMs = 15 * 60_000;
const repliesAtOnce = 500;

export interface RestoresDeps {
  sql: Database;
  providers: Providers;
  phoneHash: () => Promise<PhoneHash>;
  /** A reply that arrives later than this after our last message does not match any. */
  replyWindowDays: number;
}

type Sent = Extract<ListEntry, { kind: 'sent' }>;
type Inbound = Extract<ListEntry, { kind: 'inbound' }>;
interface Found {
  replies: number;
  optOuts: number;
  known: number;
  others: number;
}

/** After a restore: asks the providers what happened since the backup, which the database does not contain. */
export function createRestoreCatchUp({ sql, providers, phoneHash, replyWindowDays }: RestoresDeps) {
  /** Marks sent messages as sent. Counts those that the database does not contain. */
  const recordSent = async (
    providerId: number,
    sent: readonly Sent[],
  ): Promise<Pick<Found, 'known' | 'others'>> => {
    const candidates = await listCandidates(sql, providerId, {
      phones: [...new Set(sent.map(({ to }) => canonicalPhone(to) ?? to))],
      providerMessageIds: sent.map(({ message }) => message.providerMessageId),
    });
    const byId = new Map(candidates.map((one) => [one.providerMessageId, one.id]));
    const byText = new Map<string, number[]>();
    for (const { id, phone, text, providerMessageId } of candidates) {
      if (providerMessageId !== null || text === null) continue;
      const key = `${phone} ${toUSVString(text)}`;
      byText.set(key, [...(byText.get(key) ?? []), id]);
    }
    const moves: ListedMove[] = [];
    for (const { to, text, message } of sent) {
      const messageId =
        byId.get(message.providerMessageId) ?? byText.get(`${canonicalPhone(to) ?? to} ${text}`)?.shift();
      if (messageId !== undefined) moves.push({ messageId, ...message });
    }
    await sql.begin((tx) => recordListed(tx, providerId, moves));
    return { known: moves.length, others: sent.length - moves.length };
  };

  /** Stores replies missing from the backup, and applies their opt-outs and opt-ins. The API starts their handling. */
  const recordReplies = async (
    providerId: number,
    inbound: readonly Inbound[],
  ): Promise<Pick<Found, 'replies' | 'optOuts'>> => {
    const hash = await phoneHash();
    return sql.begin(async (tx) => {
      await insertInboundEvents(
        tx,
        inbound.map(({ message: { providerMessageId, payload } }) => ({
          providerId,
          eventKey: `list/${providerMessageId}`,
          kind: 'message',
          messageId: null,
          payload: JSON.stringify(payload),
        })),
      );
      const kept = await keepReplies(
        tx,
        inbound.map(({ at, message: { providerMessageId, from, to, text } }) => ({
          providerId,
          providerMessageId,
          phone: writerOf(from),
          recipient: to,
          text,
          receivedAt: at,
        })),
        { windowDays: replyWindowDays },
      );
      const asking = kept.filter(asksForPhone);
      if (asking.length > 0)
        await lockForOptOuts(tx, { moving: [], refused: [], phones: asking.map(({ phone }) => phone) });
      await recordReplyIntents(tx, asking, async () => hash);
      return { replies: kept.length, optOuts: asking.filter(({ intent }) => intent === 'opt_out').length };
    });
  };

  const ask = async (
    providerId: number,
    list: NonNullable<Provider['listSince']>,
    restore: RestoreRow,
  ): Promise<Found & { problem: string | null }> => {
    const found = { replies: 0, optOuts: 0, known: 0, others: 0 };
    const inbound: Inbound[] = [];
    for await (const page of list(new Date(restore.backupAt.getTime() - slackMs))) {
      heartbeat();
      cancellationSignal().throwIfAborted();
      if (page.kind === 'unavailable') return { ...found, problem: page.code };
      const { known, others } = await recordSent(
        providerId,
        page.entries.filter((entry) => entry.kind === 'sent'),
      );
      found.known += known;
      found.others += others;
      inbound.push(...page.entries.filter((entry) => entry.kind === 'inbound'));
    }
    // In the order in which they were written: if a phone opted out and in again, the last one counts.
    inbound.sort((a, b) => a.at.getTime() - b.at.getTime());
    for (let first = 0; first < inbound.length; first += repliesAtOnce) {
      const { replies, optOuts } = await recordReplies(
        providerId,
        inbound.slice(first, first + repliesAtOnce),
      );
      found.replies += replies;
      found.optOuts += optOuts;
    }
    return { ...found, problem: null };
  };

  return {
    /** Asks each provider that has not answered yet. Does nothing unless the database was restored. */
    async catchUpAfterRestore(): Promise<void> {
      const restore = await lastRestore(sql);
      if (!restore) return;
      const waiting = (await listCatchUps(sql, restore.id)).filter(({ state }) => state === 'waiting');
      for (const { providerId } of waiting) {
        const nothing = { replies: 0, optOuts: 0, known: 0, others: 0 };
        try {
          const { listSince } = await providers.get(providerId);
          if (!listSince) {
            await recordCatchUp(sql, restore.id, {
              ...nothing,
              providerId,
              state: 'not_offered',
              problem: null,
            });
            continue;
          }
          const found = await ask(providerId, listSince, restore);
          const state = found.problem === null ? 'done' : 'waiting';
          await recordCatchUp(sql, restore.id, { ...found, providerId, state });
        } catch (error) {
          cancellationSignal().throwIfAborted();
          log.warn('A provider cannot be queried for events since the backup', { providerId, error });
          const problem = error instanceof Error ? error.name : 'error';
          await recordCatchUp(sql, restore.id, { ...nothing, providerId, state: 'waiting', problem });
        }
      }
      if (waiting.length > 0) await decideIfAsked(sql);
    },
  };
}
