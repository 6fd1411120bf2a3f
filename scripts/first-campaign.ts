import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { weekdays } from '../domain/calendar.ts';
import type { ApiClient } from './api-client.ts';

const withId = z.object({ id: z.int() });
const settings = z.object({ entries: z.array(z.object({ id: z.int(), name: z.string() })) });

/** A provider row for the sandbox gateway of the deployment. Returns its id. */
export async function createSandboxProvider(
  api: ApiClient,
  { accountSid, authToken, from }: { accountSid: string; authToken: string; from: string },
  ratePerSecond: number | null,
  name = 'Sandbox',
): Promise<number> {
  const provider = await api.call('POST', '/api/providers', {
    name,
    config: { kind: 'sandbox', accountSid, from },
    secrets: { kind: 'sandbox', authToken },
    ratePerSecond,
  });
  return withId.parse(provider).id;
}

/** Sending hours that are always open, so that a demonstration works at any time of day. Returns their id. */
export async function createSendingHours(api: ApiClient, name: string): Promise<number> {
  const hours = await api.call('POST', '/api/settings/sending-hours', {
    name,
    definition: { timezone: 'America/Sao_Paulo', windows: [{ days: weekdays, from: '00:00', to: '24:00' }] },
  });
  return withId.parse(hours).id;
}

/** The id of the seeded sending hours with this name. */
export async function sendingHoursId(api: ApiClient, name: string): Promise<number> {
  const { entries } = settings.parse(await api.call('GET', '/api/settings/sending-hours'));
  const found = entries.find((entry) => entry.name === name);
  if (!found) throw new Error(`There are no sending hours "${name}".`);
  return found.id;
}

/** A complete campaign that is not enabled; its file is uploaded separately. Returns its id. */
export async function createCampaign(
  api: ApiClient,
  campaign: {
    name: string;
    providerId: number;
    sendingHoursId: number;
    startsAt: string;
    /** The source of its contacts; if omitted: its file. */
    mailing?: object;
  },
): Promise<number> {
  const created = await api.call('POST', '/api/campaigns', {
    name: campaign.name,
    schedule: {
      recurrence: { every: 'day' },
      startsAt: campaign.startsAt,
      timezone: 'America/Sao_Paulo',
    },
    message: {
      template:
        'Olá, {nome}! Seu pedido {codigo} está pronto para retirada. Para não receber mais, responda SAIR.',
      providerId: campaign.providerId,
    },
    mailing: { source: 'csv', sendingHoursId: campaign.sendingHoursId, ...campaign.mailing },
  });
  return withId.parse(created).id;
}

/** The same with contacts from the example web service (examples/webservice/), and the integration for it. */
export async function createWebserviceCampaign(
  api: ApiClient,
  { url, token, ...campaign }: Parameters<typeof createCampaign>[1] & { url: string; token: string },
): Promise<number> {
  const integration = await api.call('POST', '/api/integrations', {
    name: 'Exemplo: CRM',
    config: { authentication: { kind: 'bearer' }, origins: [new URL(url).origin] },
    secrets: { secret: token },
  });
  return createCampaign(api, {
    ...campaign,
    mailing: {
      source: 'webservice',
      webservice: {
        baseUrl: url,
        params: [{ key: 'since', value: '{lastRunAt}' }],
        integrationId: withId.parse(integration).id,
        fieldMap: { mobile: 'contato.celular', phone: 'contato.telefone' },
      },
    },
  });
}

/** The example of a first start: sandbox, hours, and a campaign with its file, which the user enables. */
export async function createFirstCampaign({
  api,
  account,
}: {
  api: ApiClient;
  account: { accountSid: string; authToken: string; from: string };
}): Promise<void> {
  const providerId = await createSandboxProvider(api, account, 100);
  const campaignId = await createCampaign(api, {
    name: 'Exemplo: pedido pronto',
    providerId,
    sendingHoursId: await sendingHoursId(api, 'Sempre'),
    startsAt: '2026-01-05T09:00',
  });
  await api.upload(
    `/api/campaigns/${campaignId}/mailing/file`,
    await readFile(new URL('../examples/mailing.csv', import.meta.url)),
  );
}
