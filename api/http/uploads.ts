import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError } from './errors.ts';

/** The types that browsers and programs send for a CSV file; Windows sends a spreadsheet type if Excel is installed. */
export const csvTypes = ['text/csv', 'text/plain', 'application/octet-stream', 'application/vnd.ms-excel'];

export interface UploadLimits {
  bytes: number;
  /** Longest wait for the next bytes. */
  idleMs: number;
  /** Longest upload. */
  totalMs: number;
}

/**
 * The bytes of an upload as they arrive, within limits. The client may be slow: hold no transaction and no connection of
 * a pool while you read.
 *
 * If the caller stops early, the rest is read and discarded, so that the client can read the response.
 *
 * @throws {ApiError} too_large, upload_too_slow, upload_broken
 */
export async function* readUpload(
  stream: Readable,
  { bytes, idleMs, totalMs }: UploadLimits,
): AsyncGenerator<Uint8Array> {
  const iterator = stream.iterator({ destroyOnReturn: false });
  const deadline = performance.now() + totalMs;
  let read = 0;
  try {
    for (;;) {
      const chunk = await inTime(iterator.next(), Math.min(idleMs, deadline - performance.now()));
      if (chunk.done === true) return;
      const piece: unknown = chunk.value;
      if (!(piece instanceof Uint8Array)) throw new ApiError('internal');
      read += piece.length;
      if (read > bytes) throw tooLarge(bytes);
      yield piece;
    }
  } finally {
    throwRestAway(stream, iterator, idleMs);
  }
}

function throwRestAway(stream: Readable, iterator: NodeJS.AsyncIterator<unknown>, longestMs: number): void {
  stream.on('error', () => undefined);
  if (stream.readableEnded || stream.destroyed) return;
  // The stream does not flow while the iterator listens.
  void iterator.return?.().then(
    () => stream.resume(),
    () => undefined,
  );
  const timer = setTimeout(() => stream.destroy(), longestMs);
  stream.once('close', () => clearTimeout(timer));
}

export const tooLarge = (limitBytes: number): ApiError =>
  new ApiError('too_large', {
    params: { limitBytes },
  });

async function inTime<T>(next: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ApiError('upload_too_slow')), Math.max(0, ms));
  });
  try {
    return await Promise.race([next, late]);
  } catch (error) {
    throw error instanceof ApiError ? error : new ApiError('upload_broken');
  } finally {
    clearTimeout(timer);
  }
}

/** The body itself, or the file of a form. For plugins that accept both (`csvTypes`, @fastify/multipart). */
export async function uploadedFile(
  request: FastifyRequest,
): Promise<{ stream: Readable; fileName: string | undefined }> {
  if (request.isMultipart()) {
    // The errors that busboy throws for a malformed form have no status.
    const part = await request.file().catch(() => {
      throw new ApiError('form_broken');
    });
    if (part) return { stream: part.file, fileName: part.filename };
  } else if (request.body instanceof Readable) return { stream: request.body, fileName: undefined };
  throw new ApiError('invalid_fields', { problems: [problem('file', 'missing', { what: 'upload' })] });
}
