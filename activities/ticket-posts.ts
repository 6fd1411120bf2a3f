import type { ApplicationFailure } from '@temporalio/common';
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/core/client.ts';
import type { HeldLock } from '../db/core/held-lock.ts';
import type { SecretBox } from '../db/core/secrets.ts';
import {
  countTicketPosts,
  duePosts,
  type DuePost,
  openTicketPosting,
  type PostAnswer,
  recordPostAnswers,
  withPostingLock,
} from '../db/tickets/posts.ts';
import { getTickets } from '../db/tickets/tickets.ts';
import { failures } from '../domain/failures.ts';
import {
  giveUpAfterMs,
  type PostingSecrets,
  postOutcome,
  postPauseMs,
  type TicketPosting,
} from '../domain/ticket-posting.ts';
import { signatureOf, type Webhook, type WebhookAnswer } from '../outgoing/webhook.ts';
import { createReports, passingFailure } from './retries.ts';

export interface TicketPostsDeps {
  sql: Database;
  box: SecretBox;
  helpdesk: Webhook;
  clock: () => Date;
}

/** An activity returns after this time: deploys drain fast, and the workflow's page shows progress. */
const sliceMs = 5 * 60_000;
/** How often it checks whether there is something to post. */
const idleMs = 1_000;
const heartbeatMs = 2_000;
/** Concurrent posts: what a small desk's helpdesk can handle. */
const atOnce = 20;
/** The first batch after a pause; each success doubles it, so that a helpdesk that recovers is not overloaded. */
const firstBatch = 4;
const largestBatch = 400;
const longestPauseMs = 60_000;
const longestAskedPauseMs = 15 * 60_000;

export function createTicketPosts({ sql, box, helpdesk, clock }: TicketPostsDeps) {
  return {
    /** Whether there is anything to do, with a description. */
    async planTicketPosts(): Promise<{ enabled: boolean; details: string }> {
      const posting = await openTicketPosting(sql, box);
      if (!posting?.enabled) return { enabled: false, details: 'Posting to the helpdesk is switched off.' };
      const { waiting, failed } = await countTicketPosts(sql);
      return { enabled: true, details: `**${waiting}** posts wait, **${failed}** have been given up.` };
    },

    /**
     * Posts what waits, for some minutes: each ticket's events in order, several tickets at once. Only one process does
     * this at a time. A post may arrive twice when a worker dies between the answer and the write of it: the helpdesk
     * recognizes it by its event.
     *
     * When no post of a batch succeeds, the helpdesk is down or misconfigured: throws, for Temporal's back-off.
     */
    async postTickets(): Promise<{ delivered: number; refused: number }> {
      const done = { delivered: 0, refused: 0 };
      const signal = cancellationSignal();
      const beat = setInterval(() => heartbeat(done), heartbeatMs);
      const endsAt = Date.now() + sliceMs;
      const reports = createReports(sql);
      try {
        await withPostingLock(sql, async (lock) => {
          const stop = AbortSignal.any([signal, lock.signal]);
          for (let batch = firstBatch; Date.now() < endsAt && !stop.aborted && lock.isHeld();) {
            await lock.confirm();
            const due = await duePosts(sql, batch);
            if (due.length === 0) {
              await reports.overcome();
              await sleep(idleMs, undefined, { signal: stop }).catch(() => undefined);
              continue;
            }
            // Read after the posts, so that what happens after a change of the settings never goes to the former address.
            const posting = await openTicketPosting(sql, box);
            if (!posting?.enabled) return;
            const answers = await postAll(due, posting, lock);
            const { down, retryAfterMs } = await record(answers);
            if (down !== null) throw unavailable(down, retryAfterMs);
            await reports.overcome();
            batch = Math.min(largestBatch, batch * 2);
          }
        });
        return done;
      } finally {
        clearInterval(beat);
      }

      /**
       * When the activity is cancelled or the lock is lost, posts that were not started stay as they are. When the lock
       * is lost, so do posts in progress, because the next holder posts them.
       */
      async function postAll(
        due: readonly DuePost[],
        { url, secret, headers: extraHeaders }: TicketPosting & PostingSecrets,
        lock: HeldLock,
      ): Promise<{ post: DuePost; answer: WebhookAnswer }[]> {
        const tickets = new Map(
          (
            await getTickets(
              sql,
              due.map(({ ticketId }) => ticketId),
            )
          ).map((one) => [one.id, one]),
        );
        const waiting = [...due];
        const answers: { post: DuePost; answer: WebhookAnswer }[] = [];
        const worker = async (): Promise<void> => {
          for (let post = waiting.shift(); post && !signal.aborted && lock.isHeld(); post = waiting.shift()) {
            const { eventId, ticketId, kind, at, actor, changes, replyText, replyReceivedAt, note } = post;
            const { answerId, answerKind, answerText, actorName } = post;
            const reply = replyText === null ? null : { text: replyText, receivedAt: replyReceivedAt };
            const answered =
              answerId === null
                ? null
                : {
                    id: answerId,
                    kind: answerKind,
                    text: answerText,
                    author: actorName === '' ? null : actorName,
                  };
            const body = JSON.stringify({
              event: { id: eventId, kind, at, actor, changes, reply, note, answer: answered },
              ticket: tickets.get(ticketId) ?? null,
            });
            const headers = {
              ...extraHeaders,
              'torpedo-event': String(eventId),
              'torpedo-signature': signatureOf(secret, body, new Date()),
            };
            const answer = await helpdesk.post(url, headers, body, lock.signal);
            if (answer.status !== null || !lock.signal.aborted) answers.push({ post, answer });
          }
        };
        await Promise.all(Array.from({ length: atOnce }, worker));
        return answers;
      }

      /** `down`: the last answer, when no post succeeded. */
      async function record(
        answers: readonly { post: DuePost; answer: WebhookAnswer }[],
      ): Promise<{ down: WebhookAnswer | null; retryAfterMs: number | null }> {
        const outcomes = answers.map(({ answer }) => postOutcome(answer.status));
        const down = outcomes.every((outcome) => outcome === 'try_again')
          ? (answers.at(-1)?.answer ?? null)
          : null;
        const now = clock();
        await recordPostAnswers(
          sql,
          answers.map(({ post, answer }): PostAnswer => {
            const { eventId } = post;
            const outcome = postOutcome(answer.status);
            const base = { eventId, answerStatus: answer.status, answer: answer.text };
            if (outcome === 'delivered') return { ...base, state: 'delivered', pauseMs: 0 };
            const tooOld = now.getTime() - post.queuedAt.getTime() > giveUpAfterMs;
            if (outcome === 'refused' || tooOld) return { ...base, state: 'failed', pauseMs: 0 };
            // While the helpdesk is down, the activity controls the pause.
            const pauseMs = down === null ? postPauseMs(post.attempts + 1) : 0;
            return { ...base, state: 'waiting', pauseMs };
          }),
        );
        for (const outcome of outcomes) {
          if (outcome === 'delivered') done.delivered++;
          if (outcome === 'refused') done.refused++;
        }
        return {
          down,
          retryAfterMs: Math.max(0, ...answers.map(({ answer }) => answer.retryAfterMs ?? 0)) || null,
        };
      }
    },
  };
}

function unavailable({ status }: WebhookAnswer, askedMs: number | null): ApplicationFailure {
  const { attempt } = activityInfo();
  const pauseMs =
    askedMs === null ? Math.min(longestPauseMs, 1_000 * 2 ** Math.min(attempt - 1, 10)) : askedMs;
  // The answer may contain personal data, and a history is permanent: it is stored with the post.
  return passingFailure(
    failures.helpdeskUnavailable,
    status === null
      ? 'The helpdesk does not answer. Torpedo shows the details with the posts.'
      : `The helpdesk takes no posts: it answers with the status ${status}. Torpedo shows the details with the posts.`,
    {
      cause: { code: 'helpdesk_unavailable', params: { status } },
      nextInMs: Math.min(longestAskedPauseMs, pauseMs),
    },
  );
}
