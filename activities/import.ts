import { setImmediate } from 'node:timers/promises';
import { endQueued } from '../db/messages/claims.ts';
import type { Sql } from '../db/core/client.ts';
import { skipRefusedInRun } from '../db/customers/consents.ts';
import { keptAnswer, readKeptPages, readMailingFile } from '../db/campaigns/mailings.ts';
import { importMessages } from '../db/messages/messages.ts';
import { skipOptedOut } from '../db/customers/opt-outs.ts';
import type { PhoneHash } from '../db/core/phone-hash.ts';
import { lockImport, markMailingRead, type RunRow } from '../db/runs/runs.ts';
import { failures } from '../domain/failures.ts';
import { choosePhone, phonesIn } from '../domain/phone.ts';
import { dryRunReason } from '../domain/preflight.ts';
import type { RunSettings } from '../domain/run.ts';
import { profiles } from '../domain/segments.ts';
import { compose, parseTemplate } from '../domain/template.ts';
import { readCsv } from '../mailing/csv.ts';
import type { MailingRecord, MailingRecords } from '../mailing/record.ts';
import { readAnswer } from '../mailing/webservice.ts';
import { type ContactLine, matchCustomers } from './customers.ts';
import { finalFailure } from './failure.ts';
import { createPhonesSeen } from './phones-seen.ts';
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
  const { sql, phoneHash, webservice } = deps;
  const fetchAnswer = createFetch(deps);
  // An import holds one connection and needs another again and again: as many at once as the pool has would wait for
  // each other for ever.
  const inPlace = createPlaces(Math.max(1, Math.floor(sql.options.max / 2)));
  /** Opens the source of the run's mailing: the only step in which one source differs from the other. */
  const recordsOf = async (tx: Sql, { id, mailingFileId, settings }: RunRow): Promise<MailingRecords> => {
    const { mailing } = settings.campaign;
    const { extraFields } = mailing;
    switch (mailing.source) {
      case 'csv':
        if (mailingFileId === null) throw finalFailure(failures.notFound, `Run ${id} has no mailing file.`);
        return readCsv(readMailingFile(sql, mailingFileId), { extraFields });
      case 'webservice': {
        const answer = await keptAnswer(tx, id);
        if (answer === null) throw new Error(`The answer for run ${id} is gone: another attempt fetches it.`);
        const { limits } = webservice;
        return readAnswer(readKeptPages(sql, answer), {
          webservice: mailing.webservice,
          extraFields,
          limits,
        });
      }
    }
  };
  const importIn = async (tx: Sql, run: RunRow, hash: PhoneHash, signal: AbortSignal): Promise<void> => {
    if (!(await lockImport(tx, run.id))) return;
    const lines = watched(toLines(await recordsOf(tx, run), run.settings), signal);
    await importMessages(tx, run.id, matchCustomers(sql, lines, run));
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
  batches: AsyncIterable<ContactLine[]>,
  signal: AbortSignal,
): AsyncGenerator<ContactLine[]> {
  for await (const batch of batches) {
    // Reading and checking never wait by themselves: without this, the senders of this process and the heartbeats of all
    // would stand still for as long as a chunk of the file takes.
    await setImmediate();
    signal.throwIfAborted();
    yield batch;
  }
}

/**
 * What becomes of each line: queued with its text, or skipped with its reason. Of several contacts with one phone the
 * first that can be written to is.
 */
async function* toLines(records: MailingRecords, settings: RunSettings): AsyncGenerator<ContactLine[]> {
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
  const phones = createPhonesSeen();

  const lineOf = (record: MailingRecord): ContactLine => {
    const line = emptyLine(record.line);
    if (!record.ok) {
      line.reason = 'line_invalid';
      line.extra = { problem: record.problem.message };
      return line;
    }
    const { contact } = record;
    line.contact = contact;
    line.code = contact.code || null;
    line.name = contact.name || null;
    line.extra = contact.extra;
    const phone = choosePhone(contact);
    if (!phone.ok) {
      const { mobile: celular, phone: telefone, phone2: telefone2 } = contact;
      line.reason = phone.reason;
      line.extra = { ...contact.extra, celular, telefone, telefone2 };
    }
    line.extraPhones = phonesOf(line.extra);
    if (!phone.ok) return line;
    line.phone = phone.e164;
    if (phones.has(phone.e164)) {
      line.reason = 'duplicate_phone';
      return line;
    }
    const composed = compose(template, contact, options);
    if ('skip' in composed) {
      line.reason = composed.skip;
      return line;
    }
    phones.add(phone.e164);
    line.status = 'queued';
    line.text = composed.text;
    line.segments = composed.segments;
    return line;
  };

  for await (const batch of records) yield batch.map(lineOf);
}

function phonesOf(extra: Record<string, string>): string[] | null {
  let phones: string[] | null = null;
  for (const value of Object.values(extra)) {
    const found = phonesIn(value);
    if (found.length > 0) phones = phones === null ? found : [...new Set([...phones, ...found])];
  }
  return phones;
}

/** A line to be filled in by assignments: the copies that spreads make of it cost more than reading it. */
const emptyLine = (line: number): ContactLine => ({
  line,
  status: 'skipped',
  reason: null,
  code: null,
  name: null,
  phone: null,
  text: null,
  segments: 0,
  customerId: null,
  extra: null,
  extraPhones: null,
  contact: null,
});
