import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { endAlert } from '../../db/alerts/alerts.ts';
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
import {
  postingSecretChanges,
  ticketEventKinds,
  ticketPosting,
  ticketPostStates,
} from '../../domain/ticket-posting.ts';
import { audit } from '../http/auth.ts';
import type { CampaignSync } from '../services/campaign-sync.ts';
import { formatOf, notFound, orNotFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { otherRetrying, retryingView } from '../http/retrying.ts';
import { page, urlId } from '../http/parameters.ts';
import { changedPostingSecrets, postingChanges } from '../http/posting-secrets.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';

export const ticketPostView = z.object({
  /** The event that is posted; the helpdesk receives it as `Torpedo-Event`. */
  eventId: z.int(),
  ticketId: z.int(),
  kind: z.enum(ticketEventKinds),
  state: z.enum(ticketPostStates),
  attempts: z.int(),
  /** For a waiting post: the earliest time of the next attempt. */
  notBefore: instant,
  queuedAt: instant,
  /** The HTTP status of the last answer; null: there was none. */
  answerStatus: z.int().nullable(),
  /** The beginning of the last answer, or why there was none. */
  answer: z.string().nullable(),
  answeredAt: instant.nullable(),
});

export const ticketPostList = z.object({
  posts: z.array(ticketPostView),
  /** The counts of all posts, whatever the filter. */
  waiting: z.int(),
  failed: z.int(),
  /** Why nothing is posted now, and when it is retried. Null: posting works. */
  retrying: retryingView.nullable(),
});

/** Omitted secrets stay unchanged, and so do headers whose value is null. */
export const ticketPostingChange = ticketPosting.extend(postingSecretChanges.shape);

/** Secrets are never returned; the names of headers are. */
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

/** The address to which tickets are posted, the posts, and posting again. */
export const ticketPosts: FastifyPluginAsyncZod<TicketPostsDeps> = async (app, { sql, box, sync, clock }) => {
  const tags = ['tickets'];
  const shown = (posting: Awaited<ReturnType<typeof openTicketPosting>>) =>
    posting && {
      enabled: posting.enabled,
      url: posting.url,
      events: posting.events,
      headerNames: Object.keys(posting.headers),
    };
  const view = async () => {
    return {
      posting: shown(await openTicketPosting(sql, box)),
      posts: await countTicketPosts(sql),
    };
  };

  app.get(
    '/settings/ticket-posting',
    {
      // The address may contain a key.
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Get the helpdesk webhook',
        description:
          'Openings and changes of tickets are posted to this address. `posting` is null until an admin sets it. Secrets are never returned.',
        response: { 200: ticketPostingView },
      },
    },
    async (_request, reply) => {
      const settings = await view();
      nameVersion(reply, settings.posting);
      return settings;
    },
  );

  app.put(
    '/settings/ticket-posting',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set the helpdesk webhook',
        description:
          'If you omit a secret or the headers, they stay unchanged, and so does a header whose value is null. Changing the origin of the address (scheme, host, port) requires all of them again. Applies at once. Only events that happen while posting is enabled are posted. The status 202 means that the settings are saved and that Temporal will be notified as soon as it is available.',
        headers: versionHeaders,
        body: ticketPostingChange,
        response: { 200: ticketPostingView, 202: ticketPostingView },
      },
    },
    async (request, reply) => {
      const { secret, headers, ...posting } = request.body;
      await sql.begin(async (tx) => {
        await lockTicketPosting(tx);
        const before = await openTicketPosting(tx, box);
        requireVersion(request, shown(before));
        const secrets = changedPostingSecrets(before, { url: posting.url, secret, headers });
        await setTicketPosting(tx, box, posting, secrets);
        await audit(
          tx,
          request,
          'ticket_posting.update',
          { kind: 'ticket_posting', id: null },
          { newSecrets: secret !== undefined || headers !== undefined },
          postingChanges(before, posting),
        );
      });
      const synced = await sync.syncTicketPosts();
      return reply.code(synced ? 200 : 202).send(await view());
    },
  );

  app.get(
    '/ticket-posts',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'List posts to the helpdesk, newest first',
        description: 'For the next page, pass the last `eventId` of the current page as `before`.',
        querystring: page.extend({ state: z.enum(ticketPostStates).optional(), ticketId: urlId.optional() }),
        response: { 200: ticketPostList },
      },
    },
    async (request) => {
      const { before, limit, ...filter } = request.query;
      const others = await otherRetrying(sql, clock(), formatOf(request));
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
        summary: 'Get a post, with the last answer of the helpdesk',
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
        summary: 'Post an event again',
        description:
          'Works for any post, including delivered posts and posts that were given up. The event is posted as soon as posting is enabled.',
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
        summary: 'Post again all posts that were given up',
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
      await endAlert(sql, 'ticket_posts', 'failed');
      await sync.syncTicketPosts();
      return reply.code(202).send({ replayed });
    },
  );

  async function need(eventId: number) {
    return orNotFound(await getTicketPost(sql, eventId), 'ticket_post', eventId);
  }
};
