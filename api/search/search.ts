import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { listCampaigns } from '../../db/campaigns/campaigns.ts';
import type { Database } from '../../db/core/client.ts';
import { searchCustomers } from '../../db/customers/customers.ts';
import { searchMessages } from '../../db/messages/messages.ts';
import { listReplies } from '../../db/replies/replies.ts';
import { getRun } from '../../db/runs/runs.ts';
import { searchTickets } from '../../db/tickets/search.ts';
import { getTicket } from '../../db/tickets/tickets.ts';
import { messageStatuses } from '../../domain/message.ts';
import { phonesMeant } from '../../domain/phone.ts';
import { runStatuses } from '../../domain/run.ts';
import { ticketStatuses } from '../../domain/ticket.ts';
import { roleSuffices } from '../../domain/user.ts';
import { actorOf } from '../http/auth.ts';
import { instant } from '../http/instant.ts';

/** The results of a search: the first entries of each kind. */
export const searchView = z.object({
  customers: z.array(
    z.object({ id: z.int(), name: z.string(), code: z.string().nullable(), phone: z.string().nullable() }),
  ),
  campaigns: z.array(z.object({ id: z.int(), name: z.string(), enabled: z.boolean() })),
  runs: z.array(
    z.object({ id: z.int(), campaignName: z.string(), occurrence: instant, status: z.enum(runStatuses) }),
  ),
  tickets: z.array(
    z.object({
      id: z.int(),
      name: z.string().nullable(),
      phone: z.string().nullable(),
      status: z.enum(ticketStatuses),
      subcategoryName: z.string(),
    }),
  ),
  messages: z.array(
    z.object({
      id: z.int(),
      campaignName: z.string(),
      phone: z.string().nullable(),
      status: z.enum(messageStatuses),
      occurrence: instant,
    }),
  ),
  replies: z.array(z.object({ id: z.int(), phone: z.string(), text: z.string(), receivedAt: instant })),
});
type Found = z.output<typeof searchView>;

/** Entries of each kind; the lists have all of them. */
const shown = 5;
const mostDigits = 15;

/** A text without letters and digits, such as "?!", would match every name. */
const hasWords = (text: string): boolean => /[\p{L}\p{N}]/u.test(text);

const distinct = <T extends { id: number }>(rows: readonly T[]): T[] =>
  [...new Map(rows.map((row) => [row.id, row])).values()].slice(0, shown);

/**
 * As many as on a page of tickets. With a limit of five, PostgreSQL expects to find that many soon in each status, and
 * reads all of a status that has none (test/console/plans.test.ts).
 */
const namedPage = { limit: 50 };

/** A search across everything that the caller may read. */
export const search: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  app.get(
    '',
    {
      config: { access: 'any_role' },
      schema: {
        tags: ['search'],
        summary: 'Search customers, campaigns, runs, tickets, messages and replies',
        description:
          'Searches by words of a name, by the number of a run, ticket or customer, or by a phone, with or without its area code. Returns at most five entries of each kind, and only kinds that the role may read.',
        querystring: z.strictObject({ q: z.string().trim().min(1).max(120) }),
        response: { 200: searchView },
      },
    },
    async (request): Promise<Found> => {
      const { q } = request.query;
      const readsAll = roleSuffices(actorOf(request).role, 'viewer');
      const number = /^#?(\d+)$/.exec(q)?.[1];
      const id = number !== undefined && number.length <= mostDigits ? Number(number) : null;
      const phone = phonesMeant(q);
      const [customers, campaigns, run, tickets, messages, replies] = await Promise.all([
        findCustomers(q, phone),
        readsAll && hasWords(q) ? listCampaigns(sql, { name: q }, { before: null, limit: shown }) : [],
        readsAll && id !== null && id > 0 ? getRun(sql, id) : null,
        findTickets(q, id, phone),
        readsAll && phone.length > 0 ? searchMessages(sql, { phone }, { limit: shown }) : [],
        phone.length > 0 ? listReplies(sql, { phone }, { limit: shown }) : [],
      ]);
      return {
        customers,
        campaigns,
        runs: run ? [{ ...run, campaignName: run.settings.campaign.name }] : [],
        tickets,
        messages,
        replies,
      };
    },
  );

  async function findCustomers(q: string, phone: readonly string[]): Promise<Found['customers']> {
    const page = { limit: shown };
    const found = await Promise.all([
      searchCustomers(sql, { code: q }, page),
      ...(phone.length > 0 ? [searchCustomers(sql, { phone }, page)] : []),
      searchCustomers(sql, { name: q }, page),
    ]);
    return distinct(found.flatMap(({ customers }) => customers)).map((one) => ({
      ...one,
      phone: one.mobile ?? one.phone ?? one.phone2,
    }));
  }

  async function findTickets(
    q: string,
    id: number | null,
    phone: readonly string[],
  ): Promise<Found['tickets']> {
    const page = { limit: shown };
    const [numbered, ofPhone, named] = await Promise.all([
      id === null ? null : getTicket(sql, id),
      phone.length > 0 ? searchTickets(sql, { phone }, page) : [],
      // The beginning of a code is in very many; the customer with the code leads to their tickets.
      id === null ? searchTickets(sql, { text: q }, namedPage) : [],
    ]);
    return distinct([...(numbered ? [numbered] : []), ...ofPhone, ...named.slice(0, shown)]);
  }
};
