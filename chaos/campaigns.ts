import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ApiClient } from './api.ts';
import { csvOf, type Line, template } from './contacts.ts';
import type { PlannedCampaign } from './plan.ts';
import type { ChaosSystem } from './system.ts';

const withId = z.object({ id: z.int() });
const entries = z.object({ entries: z.array(z.object({ id: z.int(), name: z.string() })) });

/** The time between the creation of a campaign and its due time. */
const leadMs = 4_000;
const pageSize = 200;
/** The delay of each page, so that a fault can occur during the fetch. */
const pageMs = 300;

/** The ids of settings that all campaigns use. */
export interface Catalog {
  sendingHoursId: number;
  policies: Record<PlannedCampaign['ticketPolicy'], object>;
}

/** The initial settings of a new deployment. */
export async function readCatalog(api: ApiClient): Promise<Catalog> {
  const idsOf = async (kind: string): Promise<{ id: number; name: string }[]> =>
    entries.parse((await callOrThrow(api, 'GET', `/api/settings/${kind}`)).body).entries;
  const first = async (kind: string): Promise<number> => {
    const [entry] = await idsOf(kind);
    if (!entry) throw new Error(`A new deployment has no ${kind}.`);
    return entry.id;
  };
  const always = (await idsOf('sending-hours')).find(({ name }) => name === 'Sempre');
  if (!always) throw new Error('A new deployment has no sending hours "Sempre".');
  const subcategories = z
    .object({
      entries: z.array(z.object({ id: z.int(), definition: z.object({ categoryId: z.int() }) })),
    })
    .parse((await callOrThrow(api, 'GET', '/api/settings/subcategories')).body);
  const [subcategory] = subcategories.entries;
  const [success, failure] = await idsOf('resolutions');
  if (!subcategory || !success || !failure) throw new Error('A new deployment lacks settings for tickets.');
  const target = {
    departmentId: await first('departments'),
    assigneeId: await first('assignees'),
    categoryId: subcategory.definition.categoryId,
    subcategoryId: subcategory.id,
  };
  return {
    sendingHoursId: always.id,
    policies: {
      never: { when: 'never' },
      on_reply: { when: 'on_reply', ...target },
      on_send: {
        ...{ when: 'on_send', ...target, status: 'finished' },
        ...{ resolutionOnSuccessId: success.id, resolutionOnFailureId: failure.id },
      },
    },
  };
}

export interface Webservice {
  /** Serves these lines as the campaign's mailing; returns the URL. */
  serve(campaign: string, lines: readonly Line[]): string;
  close(): Promise<void>;
}

/** The web service from which campaigns fetch their contacts: pages of `{ contatos, next }`. */
export async function startWebservice(): Promise<Webservice> {
  const mailings = new Map<string, readonly Line[]>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://here');
    const lines = mailings.get(url.pathname.slice(1)) ?? [];
    const page = Number(url.searchParams.get('page') ?? 1);
    const answer = {
      contatos: lines
        .slice((page - 1) * pageSize, page * pageSize)
        .map(({ code, phone }) => ({ codigo: code, nome: 'Maria', celular: phone })),
      next: page * pageSize < lines.length ? `?page=${page + 1}` : null,
    };
    void sleep(pageMs).then(() =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    serve(campaign, lines) {
      mailings.set(campaign, lines);
      return `http://127.0.0.1:${port}/${campaign}`;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Creates a campaign like a user, due once in some seconds. Must be called while no fault is active, because a repeated
 * request would create a second campaign.
 */
export async function createCampaign(
  { api, providerIds }: Pick<ChaosSystem, 'api' | 'providerIds'>,
  { sendingHoursId, policies }: Catalog,
  campaign: PlannedCampaign,
  mailing: { lines: readonly Line[]; webserviceUrl: string },
): Promise<number> {
  const { key, source } = campaign;
  const { body } = await callOrThrow(api, 'POST', '/api/campaigns', {
    name: key,
    schedule: {
      recurrence: { every: 'once' },
      startsAt: new Date(Date.now() + leadMs + campaign.dueAfterMs).toISOString().slice(0, 19),
      timezone: 'UTC',
    },
    message: {
      template,
      providerId: campaign.limited ? providerIds.limited : providerIds.unlimited,
    },
    mailing: {
      ...{ source, sendingHoursId },
      ...(source === 'webservice' ? { webservice: { baseUrl: mailing.webserviceUrl } } : {}),
    },
    ticketPolicy: policies[campaign.ticketPolicy],
  });
  const { id } = withId.parse(body);
  if (source === 'csv')
    await callOrThrow(api, 'PUT', `/api/campaigns/${id}/mailing/file`, csvOf(mailing.lines));
  return id;
}

export async function enableCampaign(api: ApiClient, id: number): Promise<void> {
  await callOrThrow(api, 'POST', `/api/campaigns/${id}/enable`, {});
}

async function callOrThrow(
  api: ApiClient,
  method: string,
  path: string,
  body?: object | string,
): Promise<{ status: number; body: unknown }> {
  const answer = await api.call(method, path, body);
  if (answer.status >= 300) {
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return answer;
}
