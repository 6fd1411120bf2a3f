import { cancellationSignal, heartbeat, log, sleep } from '@temporalio/activity';
import { reserveRate } from '../db/providers/providers.ts';
import { holdProvider } from '../db/providers/trouble.ts';
import {
  type DueLookUp,
  dueLookUps,
  hasTwin,
  knownOthers,
  noteLookUp,
  noteUnknown,
  postponeLookUps,
  resolveByLookUp,
} from '../db/messages/unknown.ts';
import type { LookUpResult } from '../domain/unknown.ts';
import type { LookUpAnswer, Provider } from '../sms/provider.ts';
import { createRestoreCatchUp, type RestoresDeps } from './restores.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** How long after a message became unknown it is looked up: its receipts have had time to arrive by then. */
const looksAfterMs = [5 * minuteMs, hourMs, 24 * hourMs];
/** A provider that cannot be asked is asked again for this long. */
const giveUpAfterMs = 72 * hourMs;
const postponeMs = 5 * minuteMs;
/** A provider that wants a longer pause is skipped until the next round. */
const longestWaitMs = minuteMs;
const perRound = 1_000;
/** How many requests are in progress at once. */
const looksAtOnce = 8;
/** The clocks of provider and database differ by less than this. */
const slackMs = 2 * minuteMs;

export interface UnknownDeps extends RestoresDeps {
  clock: () => Date;
}

/** Looks up the outcomes of messages that providers may have accepted. */
export function createUnknown({ sql, providers, phoneHash, replyWindowDays, clock }: UnknownDeps) {
  const catchUp = createRestoreCatchUp({ sql, providers, phoneHash, replyWindowDays });

  const adapterOf = async (providerId: number): Promise<Provider | null> => {
    try {
      return await providers.get(providerId);
    } catch (error) {
      log.warn('A provider cannot be queried', { providerId, error });
      return null;
    }
  };

  /** The provider's answer, at its rate; null: it wants a longer pause. */
  const ask = async (provider: Provider, due: DueLookUp): Promise<LookUpAnswer | null> => {
    if (!provider.lookUp || due.phone === null || due.text === null) return null;
    const { waitMs } = await reserveRate(sql, due.providerId, 1);
    if (waitMs > longestWaitMs) return null;
    await sleep(waitMs);
    return provider.lookUp({
      messageId: due.messageId,
      to: due.phone,
      text: due.text,
      from: due.from,
      until: due.until,
    });
  };

  /** Resolves the message if the answer is certain. */
  const judge = async (
    due: DueLookUp,
    { messages }: Extract<LookUpAnswer, { kind: 'listed' }>,
  ): Promise<'resolved' | LookUpResult> => {
    const { phone, text } = due;
    if (messages.length === 0 || phone === null || text === null) return 'not_found';
    const others = await knownOthers(
      sql,
      { messageId: due.messageId, phone },
      messages.map(({ providerMessageId }) => providerMessageId),
    );
    const [listed, ...more] = messages.filter(({ providerMessageId }) => !others.has(providerMessageId));
    if (!listed) return 'not_found';
    if (more.length > 0 || (await hasTwin(sql, { ...due, phone, text }, slackMs))) return 'ambiguous';
    await sql.begin((tx) => resolveByLookUp(tx, due, listed));
    return 'resolved';
  };

  return {
    /**
     * Looks up the messages that are due, provider by provider. A certain answer moves the message by the allowed
     * moves, as a receipt would. Any other answer leaves it unknown, for another lookup or a user.
     */
    async lookUpUnknown(): Promise<{ details: string }> {
      // After a restore, the list of all messages resolves most of what would be looked up one by one.
      await catchUp.catchUpAfterRestore();
      await noteUnknown(sql, { afterMs: looksAfterMs[0] ?? 0, forMs: giveUpAfterMs });
      const due = await dueLookUps(sql, clock(), perRound);
      const tally = { resolved: 0, not_found: 0, ambiguous: 0, unavailable: 0, not_offered: 0 };
      const away = new Set<number>();
      const lookUp = async (one: DueLookUp): Promise<void> => {
        const { messageId, providerId, looks, until } = one;
        if (away.has(providerId)) return;
        const provider = await adapterOf(providerId);
        const now = clock();
        if (provider && (!provider.lookUp || one.phone === null)) {
          await noteLookUp(sql, { messageId, result: 'not_offered', at: now, dueAt: null });
          tally.not_offered++;
          return;
        }
        const answer = provider && (await ask(provider, one));
        if (answer?.kind !== 'listed') {
          away.add(providerId);
          if (answer) log.warn('A provider cannot be queried', { providerId, code: answer.code });
          if (answer?.retryAfterMs)
            await holdProvider(sql, providerId, { ms: answer.retryAfterMs, code: answer.code });
          await postponeLookUps(sql, {
            providerId,
            now,
            dueAt: new Date(now.getTime() + postponeMs),
            giveUp: new Date(now.getTime() - giveUpAfterMs),
          });
          return;
        }
        const result = await judge(one, answer);
        tally[result]++;
        if (result === 'resolved') return;
        const nextAfterMs = looksAfterMs[looks + 1];
        const dueAt =
          nextAfterMs === undefined
            ? null
            : new Date(Math.max(until.getTime() + nextAfterMs, now.getTime() + postponeMs));
        await noteLookUp(sql, { messageId, result, at: now, dueAt });
      };
      const waiting = due.values();
      await Promise.all(
        Array.from({ length: looksAtOnce }, async () => {
          for (const one of waiting) {
            heartbeat();
            cancellationSignal().throwIfAborted();
            await lookUp(one);
          }
        }),
      );
      return {
        details: [
          '| looked up in the last round | messages |',
          '| --- | ---: |',
          `| Resolved | ${tally.resolved} |`,
          `| Not found | ${tally.not_found} |`,
          `| Ambiguous: may be another message | ${tally.ambiguous} |`,
          `| The provider has no look-up | ${tally.not_offered} |`,
          `| Providers that could not be queried | ${away.size} |`,
        ].join('\n'),
      };
    },
  };
}
