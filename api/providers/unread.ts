import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { endPastAlerts } from '../../db/alerts/conditions.ts';
import type { Database } from '../../db/core/client.ts';
import { getProvider } from '../../db/providers/providers.ts';
import { listUnread, setAsideUnread } from '../../db/replies/inbound.ts';
import { keptUnreadFault, unreadWords } from '../../domain/problems/callbacks.ts';
import { audit } from '../http/auth.ts';
import { formatOf, notFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { idParams, urlId } from '../http/parameters.ts';
import type { UnreadCalls } from '../services/unread.ts';

export const unreadCallView = z.object({
  id: z.int(),
  /** Its purpose: `receipt` or `message`, by the address that was called. */
  kind: z.enum(['receipt', 'message']),
  receivedAt: instant,
  /** The message that it refers to, if that could be read. */
  messageId: z.int().nullable(),
  /** The expected field that was not found; null if another version of Torpedo recorded the call. */
  problem: keptUnreadFault.extend({ message: z.string() }).nullable(),
  /** The original call, or the part of it that could not be read: `query`, `form`, `json` or `text`. */
  payload: z.record(z.string(), z.unknown()),
});
export const unreadCallList = z.object({ unread: z.array(unreadCallView) });

/** What is left after reading again. */
export const readAgainView = z.object({
  read: z.int(),
  unread: z.int(),
  /** Calls remain, because time ran out: send the request again. */
  more: z.boolean(),
});
export const setAsideView = z.object({ setAside: z.int() });

const mostIds = 200;
const someIds = z.array(z.int().min(1)).min(1).max(mostIds);

/** Provider calls that could not be read: shown until they are read, or until a user dismisses them. */
export const unread: FastifyPluginAsyncZod<{ sql: Database; unreadCalls: UnreadCalls }> = async (
  app,
  { sql, unreadCalls },
) => {
  const tags = ['providers'];
  const need = async (id: number): Promise<void> => {
    if (!(await getProvider(sql, id))) throw notFound('provider', id);
  };

  app.get(
    '/:id/unread',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the calls of a provider that could not be read, oldest first',
        description:
          'Returns verified calls for receipts and replies, or parts of such calls, with the expected fields that were not found. For the next page, pass the last id of the current page as `after`.',
        params: idParams,
        querystring: z.strictObject({
          after: urlId.optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        response: { 200: unreadCallList },
      },
    },
    async (request) => {
      const { id } = request.params;
      await need(id);
      const rows = await listUnread(sql, id, request.query);
      return {
        unread: rows.map(({ eventKey: _, fault, ...row }) => ({
          ...row,
          problem: fault && { ...fault, message: unreadWords(fault, formatOf(request)) },
        })),
      };
    },
  );

  app.post(
    '/:id/unread/read-again',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Read calls of a provider again',
        description:
          'Use this after you have corrected the description of the provider. Calls that can now be read are applied with their original time: receipts update their messages, and replies are handled. `ids` limits the request to these calls. If `more` is true in the response, calls remain: send the request again.',
        params: idParams,
        body: z.strictObject({ ids: someIds.optional() }).default({}),
        response: { 200: readAgainView },
      },
    },
    async (request) => {
      const { id } = request.params;
      await need(id);
      const result = await unreadCalls.readAgain(id, request.body);
      const { read, unread } = result;
      await endPastAlerts(sql, 'unread_calls');
      await audit(sql, request, 'provider.read_again', { kind: 'provider', id }, { read, unread });
      return result;
    },
  );

  app.post(
    '/:id/unread/set-aside',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Remove calls of a provider from the list without reading them',
        description:
          '`ids` selects single calls; `upTo` selects all up to this id. They stay in the database until their retention ends.',
        params: idParams,
        body: z.union([z.strictObject({ ids: someIds }), z.strictObject({ upTo: z.int().min(1) })]),
        response: { 200: setAsideView },
      },
    },
    async (request) => {
      const { id } = request.params;
      await need(id);
      const setAside = await sql.begin(async (tx) => {
        const setAside = await setAsideUnread(tx, id, request.body);
        await audit(tx, request, 'provider.set_aside', { kind: 'provider', id }, { setAside });
        return setAside;
      });
      await endPastAlerts(sql, 'unread_calls');
      return { setAside };
    },
  );
};
