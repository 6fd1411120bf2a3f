import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { z } from 'zod';
import type { Database } from '../db/core/client.ts';
import { endRemaining, takeOver } from '../db/messages/claims.ts';
import { enterStep, getRun } from '../db/runs/runs.ts';
import { correctResentTickets, openSendTickets } from '../db/tickets/opening.ts';
import { failures } from '../domain/failures.ts';
import { openingsOnSend } from '../domain/ticket.ts';
import { finalFailure } from './failure.ts';

/** Lines in one transaction: it locks its messages for about a second, and their receipts wait. */
const batchLines = 5_000;

/** The progress of an attempt: all lines up to this one have their tickets. */
const checkpoint = z.object({ line: z.int(), opened: z.int() });

export function createTickets({ sql }: { sql: Database }) {
  return {
    /**
     * Opens the tickets of a run with the policy `on_send`, one for each message that was handed to the provider. Call
     * it once no sender of the run is active; `cancelRest` first ends the messages that have not left.
     *
     * The contacts of a resend already have tickets, from the run in which they failed: the resend's outcome updates
     * their resolutions.
     *
     * Continues where the last attempt stopped; opening a batch again creates no duplicates.
     */
    async openTickets({
      runId,
      cancelRest,
    }: {
      runId: number;
      cancelRest: boolean;
    }): Promise<{ opened: number }> {
      const run = await getRun(sql, runId);
      if (!run) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
      const { ticketPolicy } = run.settings.campaign;
      if (ticketPolicy.when !== 'on_send') return { opened: 0 };
      await enterStep(sql, runId, 'tickets');
      if (cancelRest) {
        await takeOver(sql, { runId, deduplicates: false });
        await sql.begin((tx) => endRemaining(tx, runId));
      }

      const openings = openingsOnSend(ticketPolicy);
      const signal = cancellationSignal();
      const details: unknown = activityInfo().heartbeatDetails;
      const last = checkpoint.safeParse(details);
      let { line, opened } = last.success ? last.data : { line: 0, opened: 0 };
      for (;;) {
        signal.throwIfAborted();
        const { campaignId } = run;
        const lines = { runId, campaignId, after: line, limit: batchLines };
        const batch = await sql.begin((tx) =>
          run.trigger === 'resend'
            ? correctResentTickets(tx, lines)
            : openSendTickets(tx, { ...lines, openings }),
        );
        if (batch.lastLine === null) return { opened };
        line = batch.lastLine;
        opened += batch.opened;
        heartbeat({ line, opened });
      }
    },
  };
}
