import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from './errors.ts';

/**
 * HTTP's version check for documents that users edit: the response to a GET has an `ETag`, and a change with that
 * `If-Match` is rejected if another client has saved a change since. A change without `If-Match` overwrites the document.
 */
// Loose, because the language of the response depends on another header.
export const versionHeaders = z.looseObject({
  /** The `ETag` of the version that was edited. */
  'if-match': z.string().max(200).optional(),
});

/** The same content has the same tag, so a change that was reverted is no conflict. */
const tagOf = (content: unknown): string =>
  `"${hash('sha256', JSON.stringify(content), 'base64url').slice(0, 22)}"`;

/** Sets the version of the answer; `content` is everything that a change replaces. */
export function nameVersion(reply: FastifyReply, content: unknown): void {
  reply.header('etag', tagOf(content));
}

/**
 * Rejects a change based on another version than the present one (`version_conflict`). Call it in the transaction of
 * the change, with the row locked.
 */
export function requireVersion({ headers }: FastifyRequest, present: unknown): void {
  const expected = headers['if-match'];
  if (expected === undefined) return;
  // A proxy that compresses answers makes tags weak.
  const tags = expected.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (!tags.includes('*') && !tags.includes(tagOf(present)))
    throw new ApiError('version_conflict', { params: { version: null } });
}
