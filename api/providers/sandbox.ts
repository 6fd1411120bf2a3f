import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { request as httpRequest } from 'undici';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { getProviderAccount, listProviders } from '../../db/providers/providers.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import { coded } from '../../domain/problems/coded.ts';
import { sandboxFault } from '../../domain/problems/errors.ts';
import { ApiError } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { phoneParam } from '../http/parameters.ts';

/** A virtual phone of the sandbox, with the last message it received. */
export const virtualPhoneView = z.object({
  phone: z.string(),
  at: instant,
  /** The sender. */
  other: z.string(),
  body: z.string(),
});
export const virtualPhones = z.object({ phones: z.array(virtualPhoneView) });

/** What a virtual phone received and sent, newest first. */
export const conversationView = z.object({
  phone: z.string(),
  messages: z.array(
    z.object({
      direction: z.enum(['received', 'written']),
      sid: z.string(),
      at: instant,
      other: z.string(),
      body: z.string(),
      status: z.string(),
    }),
  ),
});

const timeoutMs = 15_000;

interface SandboxDeps {
  sql: Database;
  box: SecretBox;
  sandboxUrl: string;
}

/** The virtual phones of the sandbox, for users who test campaigns. Its token is never returned. */
export const sandbox: FastifyPluginAsyncZod<SandboxDeps> = async (app, { sql, box, sandboxUrl }) => {
  const tags = ['sandbox'];

  app.get(
    '/phones',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the virtual phones that received the last messages',
        response: { 200: virtualPhones },
      },
    },
    async () => ask('GET', 'phones', virtualPhones),
  );

  app.get(
    '/phones/:phone',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the messages of a virtual phone, newest first',
        params: z.object({ phone: phoneParam }),
        response: { 200: conversationView },
      },
    },
    async ({ params: { phone } }) => ask('GET', `phones/${encodeURIComponent(phone)}`, conversationView),
  );

  app.post(
    '/phones/:phone/replies',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Send a reply from a virtual phone',
        description: 'The reply arrives as a signed webhook call, as from a real provider.',
        params: z.object({ phone: phoneParam }),
        body: z.strictObject({ text: z.string().trim().min(1, coded('missing')).max(1600) }),
        response: { 201: z.object({ sid: z.string() }) },
      },
    },
    async ({ params: { phone }, body: { text } }, reply) =>
      reply
        .code(201)
        .send(await ask('POST', 'replies', z.object({ sid: z.string() }), { from: phone, body: text })),
  );

  async function ask<T extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: T,
    payload?: object,
  ): Promise<z.output<T>> {
    const known = (await listProviders(sql)).find(
      ({ config, archivedAt }) => config.kind === 'sandbox' && archivedAt === null,
    );
    const account = known && (await getProviderAccount(sql, box, known.id));
    if (account?.kind !== 'sandbox') throw unavailable('no_provider');
    const answer = await httpRequest(`${sandboxUrl}/sandbox/${path}`, {
      method,
      headers: { authorization: `Bearer ${account.authToken}`, 'content-type': 'application/json' },
      body: payload === undefined ? null : JSON.stringify(payload),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    }).catch(() => {
      throw unavailable('no_answer');
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) {
      const refusal = z.object({ code: sandboxFault }).safeParse(parsed(text));
      throw unavailable(refusal.success ? refusal.data.code : 'refused');
    }
    return schema.parse(parsed(text));
  }
};

const unavailable = (why: z.infer<typeof sandboxFault>): ApiError =>
  new ApiError('sandbox_unavailable', { params: { why } });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
