import type { Sql } from './client.ts';

/** Large enough that a file of a million lines is a hundred rows, small enough to hold a few in memory. */
const chunkBytes = 1024 * 1024;

export interface MailingFileRow {
  id: number;
  campaignId: number;
  bytes: number;
  sha256: Buffer;
  lines: number;
  badLines: number;
  uploadedBy: string;
  uploadedAt: Date;
}

/** Opens a file to be written by `appendMailingFile` and closed by `finishMailingFile`, all in one transaction. */
export async function createMailingFile(sql: Sql, campaignId: number, uploadedBy: string): Promise<number> {
  const [row] = await sql<[{ id: number }]>`
    insert into mailing_files (campaign_id, bytes, sha256, lines, bad_lines, uploaded_by)
    values (${campaignId}, 0, '', 0, 0, ${uploadedBy}) returning id`;
  return row.id;
}

/**
 * Stores the stream as the file's chunks while passing every byte on, so that a reader can check the file on its way
 * in. Memory: one chunk.
 */
export async function* storeMailingFile(
  sql: Sql,
  fileId: number,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let seq = 0;
  let held: Uint8Array[] = [];
  let size = 0;
  const flush = async () => {
    await sql`insert into mailing_file_chunks (file_id, seq, bytes) values (${fileId}, ${seq++}, ${Buffer.concat(held)})`;
    held = [];
    size = 0;
  };
  for await (const piece of bytes) {
    held.push(piece);
    size += piece.length;
    if (size >= chunkBytes) await flush();
    yield piece;
  }
  if (size > 0) await flush();
}

export async function finishMailingFile(
  sql: Sql,
  file: { id: number; bytes: number; sha256: Buffer; lines: number; badLines: number },
): Promise<void> {
  await sql`update mailing_files set bytes = ${file.bytes}, sha256 = ${file.sha256}, lines = ${file.lines},
    bad_lines = ${file.badLines} where id = ${file.id}`;
}

/** The file's bytes, a chunk at a time. */
export async function* readMailingFile(sql: Sql, fileId: number): AsyncGenerator<Uint8Array> {
  for (let seq = 0; ; seq++) {
    const [chunk] = await sql<{ bytes: Buffer }[]>`
      select bytes from mailing_file_chunks where file_id = ${fileId} and seq = ${seq}`;
    if (!chunk) return;
    yield chunk.bytes;
  }
}

export async function getMailingFile(sql: Sql, id: number): Promise<MailingFileRow | null> {
  const [row] = await sql<MailingFileRow[]>`
    select id, campaign_id, bytes, sha256, lines, bad_lines, uploaded_by, uploaded_at from mailing_files where id = ${id}`;
  return row ?? null;
}

/** Deletes the files of a campaign that were replaced and that no run was made from. Call it with the campaign locked. */
export async function deleteUnusedMailingFiles(sql: Sql, campaignId: number): Promise<void> {
  await sql`
    delete from mailing_files as f where campaign_id = ${campaignId}
      and not exists (select from campaigns where mailing_file_id = f.id)
      and not exists (select from runs where mailing_file_id = f.id)`;
}
