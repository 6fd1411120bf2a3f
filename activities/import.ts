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
import { createPlaces } from './places.ts';
import { createFetch, type FetchDeps } from './webservice.ts';

export interface ImportDeps extends FetchDeps {
  phoneHash: () => Promise<PhoneHash>;
}

/**
 * Reads a run's mailing into `messages`, one row for each line, in one transaction; nothing when that is done already.
 * The answer of a web service is fetched whole before that transaction: the stranger's pace is not the database's.
 *
 * An attempt after the first imports what an earlier one has fetched whole, and does not ask again: the service may have
 * worked for half an hour on it, may answer differently now, or give each record only once. A first attempt fetches,
 * also of a run that a person retries: the world may have changed since.
 */
export function createImport(
  deps: ImportDeps,
): (run: RunRow, options: { attempt: number; signal: AbortSignal }) => Promise<void> {
  const { sql, phoneHash, webservice, clock } = deps;
  const fetchAnswer = createFetch(deps);
  // An import holds one connection and needs another again and again: as many at once as the pool has would wait for
  // each other for ever.
  const inPlace = createPlaces(Math.max(1, Math.floor(sql.options.max / 2)));
  /** Opens the source of the run's mailing: the only step in which one source differs from the other. */
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
    // A dry run leaves nothing behind.
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
    // In the same transaction: at no moment could they have been sent.
    if (run.trigger === 'dry_run') await endQueued(tx, run.id, { status: 'cancelled', reason: dryRunReason });
    await markMailingRead(tx, run.id);
  };
  return async (run, { attempt, signal }) => {
    const hash = await phoneHash();
    if (run.settings.campaign.mailing.source === 'webservice' && run.mailingAt === null) {
      const isKept = attempt > 1 && (await keptAnswer(sql, run.id)) !== null;
      if (!isKept) await fetchAnswer(run, signal);
    }
    await inPlace(signal, () => sql.begin((tx) => importIn(tx, run, hash, signal)));
    // Again: who refused or opted out during the import did not see its messages, and was not seen by it.
    await skipOptedOut(sql, hash, run.id);
    await skipRefusedInRun(sql, run.id);
  };
}

/** Lets others have their turn, and ends the import when it is cancelled. */
async function* watched(
  batches: MailingRecords,
  readLine: (record: MailingRecord) => ReadLine,
  signal: AbortSignal,
): AsyncGenerator<ReadLine[]> {
  for await (const batch of batches) {
    // Reading and checking never wait by themselves: without this, the senders of this process and the heartbeats of all
    // would stand still for as long as a chunk of the file takes.
    await setImmediate();
    signal.throwIfAborted();
    yield batch.map(readLine);
  }
}

/** The lines of a run's mailing, as they are written. */
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
    // The reason alone says the rest.
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
