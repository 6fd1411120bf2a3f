import { setImmediate } from 'node:timers/promises';
import { endQueued } from '../db/messages/claims.ts';
import type { Sql } from '../db/core/client.ts';
import { skipRefusedInRun } from '../db/customers/consents.ts';
import { keptAnswer, readKeptPages, readMailingFile } from '../db/campaigns/mailings.ts';
import { type JudgedLine, judgeLines } from '../db/customers/lines.ts';
import { type ImportedLine, importMessages } from '../db/messages/messages.ts';
import { skipOptedOut } from '../db/customers/opt-outs.ts';
import type { PhoneHash } from '../db/core/phone-hash.ts';
import { lockImport, markMailingRead, type RunRow } from '../db/runs/runs.ts';
import type { Contact } from '../domain/contact.ts';
import { isoDate } from '../domain/dates.ts';
import { failures } from '../domain/failures.ts';
import { createLineReader, lineRulesOf, type ReadLine } from '../domain/line.ts';
import { phonesIn } from '../domain/phone.ts';
import { dryRunReason } from '../domain/preflight.ts';
import { profiles } from '../domain/segments.ts';
import { readCsv } from '../mailing/csv.ts';
import { createPhonesSeen } from '../mailing/phones-seen.ts';
import type { MailingRecord, MailingRecords } from '../mailing/record.ts';
import { readAnswer } from '../mailing/webservice.ts';
import { finalFailure } from './failure.ts';
import { createSemaphore } from './semaphore.ts';
import { createFetch, type FetchDeps } from './webservice.ts';

export interface ImportDeps extends FetchDeps {
  phoneHash: () => Promise<PhoneHash>;
}

/**
 * Reads a run's mailing into `messages`, one row for each line, in one transaction. Does nothing if that is already
 * done. The answer of a web service is fetched completely before that transaction, so that a slow remote service does
 * not hold a transaction open.
 *
 * A retry imports what an earlier attempt fetched completely, and does not fetch again: the service may have worked on
 * it for half an hour, may answer differently now, or may return each record only once. A first attempt always fetches,
 * also when a user retries the run: the data may have changed since.
 */
export function createImport(
  deps: ImportDeps,
): (run: RunRow, options: { attempt: number; signal: AbortSignal }) => Promise<void> {
  const { sql, phoneHash, webservice, clock } = deps;
  const fetchAnswer = createFetch(deps);
  // An import holds one connection and repeatedly needs another: if imports held every connection of the pool, they
  // would wait for each other forever.
  const withSlot = createSemaphore(Math.max(1, Math.floor(sql.options.max / 2)));
  /** Opens the source of the run's mailing. This is the only step that differs between sources. */
  const recordsOf = async (tx: Sql, { id, mailingFileId, settings }: RunRow): Promise<MailingRecords> => {
    const { mailing } = settings.campaign;
    const { extraFields } = mailing;
    const today = isoDate(clock());
    switch (mailing.source) {
      case 'csv':
        if (mailingFileId === null) throw finalFailure(failures.notFound, `Run ${id} has no mailing file.`);
        return readCsv(readMailingFile(sql, mailingFileId), { extraFields, today });
      case 'webservice': {
        const answer = await keptAnswer(tx, id);
        if (answer === null) throw new Error(`The answer for run ${id} is gone: another attempt fetches it.`);
        const { limits } = webservice;
        return readAnswer(readKeptPages(sql, answer), {
          webservice: mailing.webservice,
          extraFields,
          today,
          limits,
        });
      }
    }
  };
  const importIn = async (tx: Sql, run: RunRow, hash: PhoneHash, signal: AbortSignal): Promise<void> => {
    if (!(await lockImport(tx, run.id))) return;
    const { ignoreConsent, mailing } = run.settings.campaign;
    // A dry run stores nothing.
    const registers =
      run.trigger !== 'dry_run' && mailing.source === 'webservice' && mailing.webservice.registerCustomers;
    const readLine = createLineReader(
      lineRulesOf(run.settings.campaign, profiles[run.settings.segmentProfile]),
    );
    const lines = judgeLines(sql, watched(await recordsOf(tx, run), readLine, signal), {
      ignoreConsent,
      register: registers ? mailing : null,
      phones: createPhonesSeen(),
    });
    await importMessages(tx, run.id, toImported(lines));
    await skipOptedOut(tx, hash, run.id);
    // In the same transaction, so that they can never be sent.
    if (run.trigger === 'dry_run') await endQueued(tx, run.id, { status: 'cancelled', reason: dryRunReason });
    await markMailingRead(tx, run.id);
  };
  return async (run, { attempt, signal }) => {
    const hash = await phoneHash();
    if (run.settings.campaign.mailing.source === 'webservice' && run.mailingAt === null) {
      const isKept = attempt > 1 && (await keptAnswer(sql, run.id)) !== null;
      if (!isKept) await fetchAnswer(run, signal);
    }
    await withSlot(signal, () => sql.begin((tx) => importIn(tx, run, hash, signal)));
    // Checked again: a refusal or an opt-out during the import did not see these messages, and the import did not see
    // it.
    await skipOptedOut(sql, hash, run.id);
    await skipRefusedInRun(sql, run.id);
  };
}

/** Yields to other work, and ends the import when it is cancelled. */
async function* watched(
  batches: MailingRecords,
  readLine: (record: MailingRecord) => ReadLine,
  signal: AbortSignal,
): AsyncGenerator<ReadLine[]> {
  for await (const batch of batches) {
    // Reading and checking never wait by themselves: without this, all senders and heartbeats of this process would
    // stop for as long as a chunk of the file takes.
    await setImmediate();
    signal.throwIfAborted();
    yield batch.map(readLine);
  }
}

/** The lines of a run's mailing, as they are written to the database. */
async function* toImported(batches: AsyncIterable<JudgedLine[]>): AsyncGenerator<ImportedLine[]> {
  for await (const batch of batches) yield batch.map(importedLine);
}

function importedLine({ contact, reason, problem, ...line }: JudgedLine): ImportedLine {
  const extra = contact === null ? null : line.phone === null ? withPhones(contact) : contact.extra;
  return {
    line: line.line,
    status: reason === null ? 'queued' : 'skipped',
    reason,
    code: contact?.code || null,
    name: contact?.name || null,
    phone: line.phone,
    text: reason === null ? line.text : null,
    segments: reason === null ? line.segments : 0,
    customerId: line.customerId,
    extra,
    extraPhones: extra === null ? null : phonesOf(extra),
    // The reason alone explains the rest.
    fault: problem !== null && (problem.code !== reason || problem.code === 'phone_invalid') ? problem : null,
    warnings: line.warnings,
  };
}

const withPhones = ({ extra, mobile, phone, phone2 }: Contact): Record<string, string> => ({
  ...extra,
  celular: mobile,
  telefone: phone,
  telefone2: phone2,
});

function phonesOf(extra: Record<string, string>): string[] | null {
  let phones: string[] | null = null;
  for (const value of Object.values(extra)) {
    const found = phonesIn(value);
    if (found.length > 0) phones = phones === null ? found : [...new Set([...phones, ...found])];
  }
  return phones;
}
