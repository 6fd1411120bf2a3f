import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError } from './errors.ts';

/** As browsers and programs call a CSV file; Windows calls it a spreadsheet where Excel is installed. */
export const csvTypes = ['text/csv', 'text/plain', 'application/octet-stream', 'application/vnd.ms-excel'];

export interface UploadLimits {
  bytes: number;
  /** Longest wait for the next bytes. */
  idleMs: number;
  /** Longest upload. */
  totalMs: number;
}

/**
 * The bytes of an upload as they come, within limits. Time counts only while the sender is waited for: hold no transaction
 * and no connection of a pool then.
 *
 * After an early end the rest is read and thrown away, so that the sender gets to read the answer.
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
  // As long as the iterator listens, the stream does not flow.
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

/** The body itself, or the file of a form. For plugins that take both (`csvTypes`, @fastify/multipart). */
export async function uploadedFile(request: FastifyRequest): Promise<Readable> {
  if (request.isMultipart()) {
    // What busboy throws of a form that is none has no status.
    const part = await request.file().catch(() => {
      throw new ApiError('form_broken');
    });
    if (part) return part.file;
  } else if (request.body instanceof Readable) return request.body;
  throw new ApiError('invalid_fields', { problems: [problem('file', 'missing', { what: 'upload' })] });
}
