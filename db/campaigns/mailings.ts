import { z } from 'zod';
import type { Database, Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import { lockImport } from '../runs/runs.ts';

/**
 * Large enough that a file of a million lines has a few hundred rows. Small, because each chunk is in memory several
 * times: the driver writes and reads it as hexadecimal text.
 */
const chunkBytes = 256 * 1024;

export interface MailingFileRow {
  id: number;
  campaignId: number;
  origin: 'upload' | 'webservice';
  bytes: number;
  sha256: Buffer;
  lines: number;
  badLines: number;
  uploadedBy: string;
  uploadedAt: Date;
  /** Of an upload, if it was given. */
  name: string | null;
}

/**
 * Creates the file of an upload. Each chunk is committed separately (`storeMailingFile`), because the sender may be
 * slow and a transaction would hold its locks and a connection as long. A campaign refers to the file once it is
 * complete.
 *
 * Throws PostgreSQL's 23503 when there is no such campaign.
 */
export async function createMailingFile(
  sql: Sql,
  campaignId: number,
  uploadedBy: string,
  /** The columns, beyond the layout, that its header was checked for. */
  extraFields: readonly string[] | null = null,
  name: string | null = null,
): Promise<number> {
  const [row] = await sql<[{ id: number }]>`
    insert into mailing_files (campaign_id, origin, bytes, sha256, lines, bad_lines, extra_fields, name, uploaded_by)
    values (${campaignId}, 'upload', 0, '', 0, 0, ${extraFields && json(sql, extraFields)}, ${name}, ${uploadedBy}) returning id`;
  return row.id;
}

/** The columns of uploads beyond the layout, by file id; omits files for which they are not known. */
export async function extraFieldsOfFiles(
  sql: Sql,
  ids: readonly (number | null)[],
): Promise<ReadonlyMap<number | null, readonly string[]>> {
  const known = ids.filter((id) => id !== null);
  if (known.length === 0) return new Map();
  const rows = await sql<{ id: number; extraFields: unknown }[]>`
    select id, extra_fields from mailing_files where id = any(${known}::bigint[]) and extra_fields is not null`;
  return new Map(rows.map(({ id, extraFields }) => [id, z.array(z.string()).parse(extraFields)]));
}

/** A page of an answer: from a byte of the file up to the start of the next page. */
export const keptPage = z.object({ host: z.string(), contentType: z.string(), from: z.int() });
export type KeptPage = z.infer<typeof keptPage>;

/** A complete answer that was fetched earlier. */
export interface KeptAnswer {
  id: number;
  bytes: number;
  pages: KeptPage[];
}

/**
 * Creates the file that stores what a run fetches from a web service, and replaces that of an earlier attempt. Unlike
 * an upload, every chunk is kept even if the attempt fails: the answer explains the failure.
 *
 * Null when the run's mailing has already been read. Waits while another attempt reads it, so that a file being
 * imported is not deleted.
 */
export async function createAnswerFile(
  sql: Database,
  { runId, campaignId, fetchedAt }: { runId: number; campaignId: number; fetchedAt: Date },
): Promise<number | null> {
  return sql.begin(async (tx) => {
    if (!(await lockImport(tx, runId))) return null;
    const [file] = await tx<[{ id: number }]>`
      insert into mailing_files (campaign_id, origin, bytes, sha256, lines, bad_lines, uploaded_by)
      values (${campaignId}, 'webservice', 0, '', 0, 0, 'system') returning id`;
    const [run] = await tx<{ before: number | null }[]>`
      update runs set mailing_file_id = ${file.id}, fetched_at = ${fetchedAt} where id = ${runId}
      returning old.mailing_file_id as before`;
    if (run?.before) await tx`delete from mailing_files where id = ${run.before} and origin = 'webservice'`;
    return file.id;
  });
}

/**
 * Deletes some fetched answers older than `days`, except those of runs that may still fetch again. Returns how many;
 * the runs stay, without their answers.
 */
export async function deleteOldAnswers(sql: Database, days: number): Promise<number> {
  return sql.begin(async (tx) => {
    const rows = await tx<{ id: number }[]>`
      select f.id from mailing_files as f where origin = 'webservice'
        and uploaded_at < now() - make_interval(days => ${days}::int)
        and not exists (
          select from runs where mailing_file_id = f.id and mailing_at is null
            and status in ('running', 'paused', 'cancelling'))
      order by uploaded_at limit 100`;
    const ids = rows.map(({ id }) => id);
    if (ids.length === 0) return 0;
    await tx`update runs set mailing_file_id = null where mailing_file_id = any(${ids}::bigint[])`;
    await tx`delete from mailing_files where id = any(${ids}::bigint[])`;
    return ids.length;
  });
}

/** Writes the chunks of a file: one is being written while the next one fills. These two are in memory. */
export function createMailingWriter(sql: Sql, fileId: number) {
  let seq = 0;
  let held: Uint8Array[] = [];
  let size = 0;
  let writing: Promise<unknown> = Promise.resolve();
  const send = async () => {
    const chunk = Buffer.concat(held);
    held = [];
    size = 0;
    await writing;
    writing =
      sql`insert into mailing_file_chunks (file_id, seq, bytes) values (${fileId}, ${seq++}, ${chunk})`.execute();
    // The next chunk awaits it, or nothing does if the caller stops writing.
    writing.catch(() => undefined);
  };
  return {
    async write(piece: Uint8Array): Promise<void> {
      held.push(piece);
      size += piece.length;
      if (size >= chunkBytes) await send();
    },
    /** Writes the rest; when it returns, everything is stored. */
    async flush(): Promise<void> {
      if (size > 0) await send();
      await writing;
    },
  };
}

/** Stores the stream as the file and passes every byte on, so that a reader can check it during the upload. */
export async function* storeMailingFile(
  sql: Sql,
  fileId: number,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const writer = createMailingWriter(sql, fileId);
  for await (const piece of bytes) {
    await writer.write(piece);
    yield piece;
  }
  await writer.flush();
}

/** Marks an upload as complete. False when it has been deleted meanwhile. */
export async function finishMailingFile(
  sql: Sql,
  file: { id: number; bytes: number; sha256: Buffer; lines: number; badLines: number },
): Promise<boolean> {
  const rows = await sql`
    update mailing_files set bytes = ${file.bytes}, sha256 = ${file.sha256}, lines = ${file.lines},
      bad_lines = ${file.badLines}, completed_at = now()
    where id = ${file.id} and completed_at is null`;
  return rows.count > 0;
}

/** Deletes an interrupted upload. */
export async function deleteUnfinishedFile(sql: Sql, id: number): Promise<void> {
  await sql`delete from mailing_files where id = ${id} and completed_at is null`;
}

/** An upload waits for its sender for half an hour at most (api/campaigns/mailings.ts), then writes its bytes. */
const longestUploadHours = 6;

/**
 * Deletes one upload that is incomplete for longer than an upload may take, as a killed API leaves it. Returns how
 * many; call it until it returns 0.
 */
export async function deleteAbandonedUpload(sql: Sql): Promise<number> {
  const rows = await sql`
    delete from mailing_files where completed_at is null and id = (
      select id from mailing_files
      where completed_at is null and origin = 'upload'
        and uploaded_at < now() - make_interval(hours => ${longestUploadHours})
      order by uploaded_at limit 1)`;
  return rows.count;
}

/** Records the progress of an answer being fetched: bytes, and records in them. */
export async function recordFetchProgress(
  sql: Sql,
  { id, bytes, lines }: { id: number; bytes: number; lines: number },
): Promise<void> {
  await sql`update mailing_files set bytes = ${bytes}, lines = ${lines} where id = ${id}`;
}

/** Closes the file of an answer. `pages` is null when it is incomplete or malformed. */
export async function finishAnswerFile(
  sql: Sql,
  file: { id: number; bytes: number; sha256: Buffer; lines: number; pages: KeptPage[] | null },
): Promise<void> {
  await sql`update mailing_files set bytes = ${file.bytes}, sha256 = ${file.sha256}, lines = ${file.lines},
    pages = ${file.pages && json(sql, file.pages)}, completed_at = now() where id = ${file.id}`;
}

/** The answer that a run has fetched; null when it has no complete one. */
export async function keptAnswer(sql: Sql, runId: number): Promise<KeptAnswer | null> {
  const [file] = await sql<{ id: number; bytes: number; pages: unknown }[]>`
    select f.id, f.bytes, f.pages from runs join mailing_files as f on f.id = mailing_file_id
    where runs.id = ${runId} and pages is not null`;
  return file ? { ...file, pages: keptPage.array().parse(file.pages) } : null;
}

/** The pages of a stored answer with their bytes; read each to its end before the next. One chunk is in memory. */
export async function* readKeptPages(
  sql: Sql,
  { id, bytes, pages }: KeptAnswer,
): AsyncGenerator<Omit<KeptPage, 'from'> & { bytes: AsyncIterable<Buffer> }> {
  const chunks = readMailingFile(sql, id);
  let rest: Buffer = Buffer.alloc(0);
  async function* next(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      if (rest.length === 0) {
        const chunk = await chunks.next();
        if (chunk.done === true) throw new Error(`The file ${id} has fewer than its ${bytes} bytes.`);
        rest = chunk.value;
      }
      const piece = rest.subarray(0, left);
      rest = rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
  for (const [index, { host, contentType, from }] of pages.entries()) {
    yield { host, contentType, bytes: next((pages[index + 1]?.from ?? bytes) - from) };
  }
}

/** The file's bytes in chunks: the next one is fetched while one is read. These two are in memory. */
export async function* readMailingFile(sql: Sql, fileId: number): AsyncGenerator<Buffer> {
  const read = async (seq: number): Promise<Buffer | null> => {
    const [chunk] = await sql<{ bytes: Buffer }[]>`
      select bytes from mailing_file_chunks where file_id = ${fileId} and seq = ${seq}`;
    return chunk?.bytes ?? null;
  };
  let next = read(0);
  for (let seq = 1; ; seq++) {
    const bytes = await next;
    if (bytes === null) return;
    next = read(seq);
    // It is awaited later, or never if the caller stops reading.
    next.catch(() => undefined);
    yield bytes;
  }
}

export async function getMailingFile(sql: Sql, id: number): Promise<MailingFileRow | null> {
  const [row] = await sql<MailingFileRow[]>`
    select id, campaign_id, origin, bytes, sha256, lines, bad_lines, uploaded_by, uploaded_at, name from mailing_files where id = ${id}`;
  return row ?? null;
}

/**
 * The file that a run has read (`upload`) or the answer that it fetched (`webservice`); null when there is none, or its
 * content has been deleted.
 */
export async function keptFileOfRun(
  sql: Sql,
  runId: number,
  origin: MailingFileRow['origin'],
): Promise<number | null> {
  const [row] = await sql<{ id: number }[]>`
    select f.id from runs join mailing_files as f on f.id = runs.mailing_file_id
    where runs.id = ${runId} and f.origin = ${origin}
      and exists (select from mailing_file_chunks where file_id = f.id)`;
  return row?.id ?? null;
}

/** Deletes replaced files of a campaign that no run has used. */
export async function deleteUnusedMailingFiles(sql: Sql, campaignId: number): Promise<void> {
  await sql`
    delete from mailing_files as f where campaign_id = ${campaignId} and origin = 'upload' and completed_at is not null
      and not exists (select from campaigns where mailing_file_id = f.id)
      and not exists (select from runs where mailing_file_id = f.id)`;
}
