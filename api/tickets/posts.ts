import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import {
  countTicketPosts,
  getTicketPost,
  listTicketPosts,
  lockTicketPosting,
  openTicketPosting,
  replayFailedTicketPosts,
  replayTicketPost,
  setTicketPosting,
} from '../../db/tickets/posts.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { askedAgain, leadsElsewhere } from '../../domain/destination.ts';
import {
  postingSecretChanges,
  ticketEventKinds,
  ticketPosting,
  ticketPostStates,
} from '../../domain/ticket-posting.ts';
import { audit } from '../http/auth.ts';
import type { CampaignSync } from '../services/campaign-sync.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { otherRetrying, retryingView } from '../http/retrying.ts';
import { page, urlId } from '../http/parameters.ts';

export const ticketPostView = z.object({
  /** The event that is posted; the helpdesk gets it as `Torpedo-Event`. */
  eventId: z.int(),
  ticketId: z.int(),
  kind: z.enum(ticketEventKinds),
  state: z.enum(ticketPostStates),
  attempts: z.int(),
  /** Of one that waits: not before. */
  notBefore: instant,
  queuedAt: instant,
  /** The HTTP status of the last answer; null: none came. */
  answerStatus: z.int().nullable(),
  /** Its beginning, or why none came. */
  answer: z.string().nullable(),
  answeredAt: instant.nullable(),
});

export const ticketPostList = z.object({
  posts: z.array(ticketPostView),
  /** Of all posts, whatever was searched for. */
  waiting: z.int(),
  failed: z.int(),
  /** Why nothing is posted at present, and when it is tried again. Null: nothing is in the way. */
  retrying: retryingView.nullable(),
});

/** Secrets are never shown; of headers the names are. */
export const ticketPostingView = z.object({
  posting: ticketPosting.extend({ headerNames: z.array(z.string()) }).nullable(),
  posts: z.object({ waiting: z.int(), failed: z.int() }),
});

interface TicketPostsDeps {
  clock: () => Date;
  sql: Database;
  box: SecretBox;
  sync: CampaignSync;
}

/** Where tickets are posted to, what was posted, and posting it again. */
export const ticketPosts: FastifyPluginAsyncZod<TicketPostsDeps> = async (app, { sql, box, sync, clock }) => {
  const tags = ['tickets'];
  const view = async () => {
    const posting = await openTicketPosting(sql, box);
    return {
      posting: posting && {
        enabled: posting.enabled,
        url: posting.url,
        events: posting.events,
        headerNames: Object.keys(posting.headers),
      },
      posts: await countTicketPosts(sql),
    };
  };

  app.get(
    '/settings/ticket-posting',
    {
      // The address may hold a key.
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Where openings and changes of tickets are posted to',
        description: '`posting` is null until an admin has set it. Secrets are never shown.',
        response: { 200: ticketPostingView },
      },
    },
    view,
  );

  app.put(
    '/settings/ticket-posting',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set where openings and changes of tickets are posted to',
        description:
          'A secret that is left out stays as it is, and so do headers; of the headers that are given, those that are null. An address of another origin (scheme, host, port) needs all of them again. Counts at once; only what happens while it is enabled is posted. 202: saved, and Temporal will be told as soon as it answers.',
        body: ticketPosting.extend(postingSecretChanges.shape),
        response: { 200: ticketPostingView, 202: ticketPostingView },
      },
    },
    async (request, reply) => {
      const { secret, headers, ...posting } = request.body;
      await sql.begin(async (tx) => {
        await lockTicketPosting(tx);
        const before = await openTicketPosting(tx, box);
        const isElsewhere = before !== null && leadsElsewhere([before.url], [posting.url]);
        const stored = isElsewhere ? null : before;
        const known = stored?.headers ?? {};
        const problems: Problem[] = [];
        const key = secret ?? stored?.secret;
        if (key === undefined) {
          problems.push(problem('secret', 'missing', { what: 'signing_secret' }));
        }
        const values: Record<string, string> = {};
        for (const name of Object.keys(headers ?? before?.headers ?? {})) {
          const value = headers?.[name] ?? (Object.hasOwn(known, name) ? known[name] : undefined);
          if (value !== undefined) values[name] = value;
          else {
            problems.push(problem(`headers.${name}`, 'missing_header', { name }));
          }
        }
        if (key === undefined || problems.length > 0) {
          throw new ApiError('invalid_fields', { problems: isElsewhere ? askedAgain(problems) : problems });
        }
        await setTicketPosting(tx, box, posting, { secret: key, headers: values });
        const { enabled, events } = posting;
        await audit(
          tx,
          request,
          'ticket_posting.update',
          { kind: 'ticket_posting', id: 1 },
          { enabled, events, newSecret: secret !== undefined, newHeaders: headers !== undefined },
        );
      });
      const told = await sync.syncTicketPosts();
      return reply.code(told ? 200 : 202).send(await view());
    },
  );

  app.get(
    '/ticket-posts',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'What was posted to the helpdesk, newest first',
        description: 'For the next page: the last `eventId` as `before`.',
        querystring: page.extend({ state: z.enum(ticketPostStates).optional(), ticketId: urlId.optional() }),
        response: { 200: ticketPostList },
      },
    },
    async ({ query: { before, limit, ...filter } }) => {
      const others = await otherRetrying(sql, clock());
      return {
        posts: await listTicketPosts(sql, filter, { before, limit }),
        ...(await countTicketPosts(sql)),
        retrying: others.find(({ kind }) => kind === 'ticket_posts')?.retrying ?? null,
      };
    },
  );

  const eventParams = z.object({ eventId: urlId });

  app.get(
    '/ticket-posts/:eventId',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'One post, with the last answer of the helpdesk',
        params: eventParams,
        response: { 200: ticketPostView },
      },
    },
    async ({ params: { eventId } }) => need(eventId),
  );

  app.post(
    '/ticket-posts/:eventId/replay',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Post one event again',
        description: 'Delivered, given up or waiting: it is posted as soon as posting is enabled.',
        params: eventParams,
        response: { 202: ticketPostView },
      },
    },
    async (request, reply) => {
      const { eventId } = request.params;
      await sql.begin(async (tx) => {
        if (!(await replayTicketPost(tx, eventId))) throw notFound('ticket_post', eventId);
        const { ticketId } = await need(eventId);
        await audit(tx, request, 'ticket_post.replay', { kind: 'ticket', id: ticketId }, { eventId });
      });
      await sync.syncTicketPosts();
      return reply.code(202).send(await need(eventId));
    },
  );

  app.post(
    '/ticket-posts/replay-failed',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Post again all that was given up',
        response: { 202: z.object({ replayed: z.int() }) },
      },
    },
    async (request, reply) => {
      const replayed = await sql.begin(async (tx) => {
        const replayed = await replayFailedTicketPosts(tx);
        await audit(
          tx,
          request,
          'ticket_post.replay_failed',
          { kind: 'ticket_posting', id: 1 },
          { replayed },
        );
        return replayed;
      });
      await sync.syncTicketPosts();
      return reply.code(202).send({ replayed });
    },
  );

  async function need(eventId: number) {
    const post = await getTicketPost(sql, eventId);
    if (!post) throw notFound('ticket_post', eventId);
    return post;
  }
};
