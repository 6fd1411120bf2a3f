import type { FastifyInstance, FastifyReply } from 'fastify';
import type { z } from 'zod';
import { errorBody } from '../../api/http/errors.ts';
import type { Permission } from '../../domain/user.ts';
import { ApiFailure } from './api.ts';
import type { FormValues } from './form-data.ts';
import { type PageRequest, pageRequest, routeOptions } from './routes.ts';

/** The result of a file that was just uploaded; empty if there was none. */
export interface Uploaded<T> {
  accepted?: T;
  refused?: ApiFailure;
}

interface UploadRoute<T> {
  /** The file passes through this process's memory. */
  maxBytes: number;
  /** Forwards the body of the form, unchanged. */
  send: (request: PageRequest, file: { payload: Buffer; type: string }) => Promise<T>;
  next: (request: PageRequest, reply: FastifyReply, sent: Uploaded<T>) => Promise<FastifyReply>;
}

/** The target of a form with a file, without scripts; with them the browser streams the file to the API itself. */
export async function addUpload<T>(
  app: FastifyInstance,
  path: string,
  access: Permission,
  { maxBytes, send, next }: UploadRoute<T>,
): Promise<void> {
  await app.register(async (uploads) => {
    uploads.addContentTypeParser(
      'multipart/form-data',
      { parseAs: 'buffer', bodyLimit: maxBytes },
      (_request, body, done) => done(null, body),
    );
    uploads.post(path, { ...routeOptions(path, access), bodyLimit: maxBytes }, async (request, reply) => {
      const payload = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const type = request.headers['content-type'] ?? '';
      const asked = pageRequest(request);
      const sent = await send(asked, { payload, type }).then(
        (accepted): Uploaded<T> => ({ accepted }),
        (error: unknown): Uploaded<T> => {
          if (!(error instanceof ApiFailure) || [401, 403, 404].includes(error.status)) throw error;
          return { refused: error };
        },
      );
      return next(asked, reply, sent);
    });
  });
}

/** The API's answer to an upload, as the browser forwards it; it is not stored. */
export function forwardedUpload<T>(form: FormValues, schema: z.ZodType<T>): Uploaded<T> {
  let answer: unknown = null;
  try {
    answer = JSON.parse(form.text('answer'));
  } catch {
    // The connection broke, or the upload was cancelled: there is no answer.
  }
  const accepted = schema.safeParse(answer);
  if (accepted.success) return { accepted: accepted.data };
  const error = errorBody.safeParse(answer);
  const broken = { code: 'upload_broken', params: {}, message: 'The upload broke off.', requestId: '' };
  return { refused: new ApiFailure(Number(form.text('status')), error.success ? error.data.error : broken) };
}
