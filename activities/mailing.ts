import { setImmediate } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Database } from '../db/client.ts';
import { skipRefusedInRun } from '../db/consents.ts';
import { cancelQueued } from '../db/claims.ts';
import { importMessages } from '../db/messages.ts';
import { skipOptedOut } from '../db/opt-outs.ts';
import type { PhoneHash } from '../db/phone-hash.ts';
import { deleteOldAnswers, readMailingFile } from '../db/mailings.ts';
import {
  enterStep,
  getRun,
  lockImport,
  markMailingRead,
  moveRun,
  runCounts,
  type RunRow,
} from '../db/runs.ts';
import type { Contact } from '../domain/contact.ts';
import { failures } from '../domain/failures.ts';
import { choosePhone } from '../domain/phone.ts';
import { dryRunReason } from '../domain/preflight.ts';
import { liveRunStatuses, type RunReason, type RunSettings } from '../domain/run.ts';
import { profiles } from '../domain/segments.ts';
import { compose, parseTemplate } from '../domain/template.ts';
import { MailingRefused, readCsv } from '../mailing/csv.ts';
import type { MailingRecords } from '../mailing/record.ts';
import { WebserviceRefused } from '../mailing/refused.ts';
import { type ContactLine, matchCustomers } from './customers.ts';
import { finalFailure } from './failure.ts';
import { countsByStatus, countsTable } from './runs.ts';
import { createWebserviceSource, tryAgain, type WebserviceSourceDeps } from './webservice.ts';

export interface ImportedMailing {
  /** Messages by status: `queued` and `skipped`. */
  counts: Record<string, number>;
  segments: number;
  details: string;
}

const heartbeatMs = 1_000;
const manyLines = 10_000;

export interface MailingDeps extends WebserviceSourceDeps {
  phoneHash: () => Promise<PhoneHash>;
  /** What was fetched from web services is kept for so long. */
  rawAnswerDays: number;
}

export function createMailing(deps: MailingDeps) {
  const { sql, phoneHash } = deps;
  const fetchRecords = createWebserviceSource(deps);
  /** Opens the source of the run's mailing: the only step in which one source differs from the other. */
  const recordsOf = (run: RunRow): MailingRecords => {
    const { id, mailingFileId } = run;
    const { source, extraFields } = run.settings.campaign.mailing;
    switch (source) {
      case 'csv':
        if (mailingFileId === null) throw finalFailure(failures.notFound, `Run ${id} has no mailing file.`);
        return readCsv(readMailingFile(sql, mailingFileId), { extraFields });
      case 'webservice':
        return fetchRecords(run, cancellationSignal());
    }
  };

  /**
   * The failure that an error while reading becomes: of a mailing that can't be read, the run has failed and says why.
   * What it says may quote the file, and a history is for ever: only the code goes there.
   */
  const refusal = async (runId: number, error: unknown): Promise<unknown> => {
    const failed = async (reason: RunReason, message: string) => {
      await moveRun(sql, { id: runId, from: liveRunStatuses, to: 'failed', reason });
      return finalFailure(failures.mailingRefused, message);
    };
    if (error instanceof MailingRefused) {
      const { code: mailingCode, message: detail } = error;
      return failed(
        { code: 'mailing_refused', mailingCode, detail },
        `The mailing can't be read (${mailingCode}). Torpedo shows the details.`,
      );
    }
    if (error instanceof WebserviceRefused) {
      const { code: mailingCode, message: detail } = error;
      return (
        tryAgain(error, deps.webserviceRetryMs) ??
        (await failed(
          { code: 'webservice_refused', mailingCode, detail },
          `The web service can't be read (${mailingCode}). Torpedo shows the details.`,
        ))
      );
    }
    return error;
  };

  return {
    /**
     * Reads the run's mailing into `messages`, one row for each line, all or nothing. A mailing that can't be read
     * fails the run for good. When the run has its messages already, only their counts are returned.
     */
    async importMailing({ runId }: { runId: number }): Promise<ImportedMailing> {
      const run = await getRun(sql, runId);
      if (!run) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
      await enterStep(sql, runId, 'mailing');
      const hash = await phoneHash();
      // By the clock and not by what is read: a web service may take its time before it says anything.
      const beating = setInterval(heartbeat, heartbeatMs);
      try {
        await sql.begin(async (tx) => {
          if (!(await lockImport(tx, runId))) return;
          const lines = watched(toLines(recordsOf(run), run.settings));
          await importMessages(tx, runId, matchCustomers(sql, lines, run));
          await skipOptedOut(tx, hash, runId);
          // In the same transaction: at no moment could they have been sent.
          if (run.trigger === 'dry_run') await cancelQueued(tx, runId, dryRunReason);
          await markMailingRead(tx, runId);
        });
      } catch (error) {
        throw await refusal(runId, error);
      } finally {
        clearInterval(beating);
      }
      // Again: who refused or opted out during the import did not see its messages, and was not seen by it.
      await skipOptedOut(sql, hash, runId);
      await skipRefusedInRun(sql, runId);
      return importedMailing(sql, runId);
    },

    /** Deletes fetched answers that have been kept for long enough. */
    async deleteOldAnswers(): Promise<{ deleted: number }> {
      let deleted = 0;
      for (;;) {
        heartbeat();
        cancellationSignal().throwIfAborted();
        const some = await deleteOldAnswers(sql, deps.rawAnswerDays);
        if (some === 0) return { deleted };
        deleted += some;
      }
    },
  };
}

/** What a run has to do, now that its messages are there. */
export async function importedMailing(sql: Database, runId: number): Promise<ImportedMailing> {
  const counts = await runCounts(sql, runId);
  // Until autovacuum has come by, the planner knows nothing of a million new rows.
  if (counts.reduce((sum, { messages }) => sum + messages, 0) > manyLines) await sql`analyze messages`;
  return {
    counts: countsByStatus(counts),
    segments: counts.reduce((sum, { status, segments }) => sum + (status === 'queued' ? segments : 0), 0),
    details: `Mailing read.\n\n${countsTable(counts)}`,
  };
}

/** Lets others have their turn, and ends the import when the activity is cancelled. */
async function* watched(batches: AsyncIterable<ContactLine[]>): AsyncGenerator<ContactLine[]> {
  const signal = cancellationSignal();
  for await (const batch of batches) {
    // Reading and checking never wait by themselves: without this, the senders of this process and the heartbeats of all
    // would stand still for as long as a megabyte of the file takes.
    await setImmediate();
    signal.throwIfAborted();
    yield batch;
  }
}

/**
 * What becomes of each line: queued with its text, or skipped with its reason. Of several contacts with one phone the
 * first that can be written to is.
 *
 * Exported for the benchmark.
 */
export async function* toLines(
  records: MailingRecords,
  settings: RunSettings,
): AsyncGenerator<ContactLine[]> {
  const { message, mailing } = settings.campaign;
  const extraFieldNames = mailing.extraFields.map((field) => field.name);
  const parsed = parseTemplate(message.template, extraFieldNames);
  if (!parsed.ok)
    throw new Error('The template of a run can not be parsed: the campaign was saved without a check.');
  const { template } = parsed;
  const options = {
    removeAccents: message.removeAccents,
    maxSegments: message.maxSegments,
    profile: profiles[settings.segmentProfile],
    extraFieldNames,
  };
  // As numbers: a phone has at most 15 digits, and a million of them take a third of the memory that strings do.
  const phones = new Set<number>();

  const lineOf = (line: number, contact: Contact): ContactLine => {
    const base = {
      line,
      code: contact.code || null,
      name: contact.name || null,
      segments: 0,
      customerId: null,
      extra: contact.extra,
      contact,
    };
    const skipped = { ...base, status: 'skipped' as const, phone: null, text: null };
    const phone = choosePhone(contact);
    if (!phone.ok) {
      const { mobile: celular, phone: telefone, phone2: telefone2 } = contact;
      return { ...skipped, reason: phone.reason, extra: { ...contact.extra, celular, telefone, telefone2 } };
    }
    const { e164 } = phone;
    const key = Number(e164.slice(1));
    if (phones.has(key)) return { ...skipped, reason: 'duplicate_phone', phone: e164 };
    const composed = compose(template, contact, options);
    if ('skip' in composed) return { ...skipped, reason: composed.skip, phone: e164 };
    phones.add(key);
    return {
      ...base,
      status: 'queued',
      reason: null,
      phone: e164,
      text: composed.text,
      segments: composed.segments,
    };
  };

  for await (const batch of records) {
    yield batch.map((record): ContactLine =>
      record.ok
        ? lineOf(record.line, record.contact)
        : {
            line: record.line,
            status: 'skipped',
            reason: 'line_invalid',
            code: null,
            name: null,
            phone: null,
            text: null,
            segments: 0,
            customerId: null,
            contact: null,
            extra: { problem: record.problem.message },
          },
    );
  }
}
