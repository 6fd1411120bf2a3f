import { randomBytes } from 'node:crypto';
import { enableCampaign, getCampaign, insertCampaign, setMailingFile } from '../../db/campaigns/campaigns.ts';
import type { Database } from '../../db/core/client.ts';
import { createMailingFile, finishMailingFile, storeMailingFile } from '../../db/campaigns/mailings.ts';
import { insertProvider } from '../../db/providers/providers.ts';
import { getRun, type RunRow } from '../../db/runs/runs.ts';
import { insertSetting } from '../../db/settings/settings.ts';
import { weekdays } from '../../domain/calendar.ts';
import { type CampaignDraft, campaignDraft } from '../../domain/campaign.ts';
import type { SendingHours } from '../../domain/hours.ts';
import { providerConfig } from '../../domain/provider.ts';
import type { SegmentProfileName } from '../../domain/segments.ts';
import { account } from './gateway.ts';
import type { System } from './system.ts';

/** The least that has to be there for a campaign to run; each function makes rows of its own. */

/** Sends in flight through the providers made here, where nothing else is said. */
export const maxInFlight = 50;

const unique = (): string => randomBytes(4).toString('hex');

export async function createProvider(
  { sql, box }: Pick<System, 'sql' | 'box'>,
  {
    ratePerSecond = null,
    authToken = account.authToken,
    segmentProfile = 'twilio',
    inFlight = maxInFlight,
  }: {
    ratePerSecond?: number | null;
    authToken?: string;
    segmentProfile?: SegmentProfileName;
    inFlight?: number;
  } = {},
): Promise<number> {
  const { accountSid, from } = account;
  const provider = await sql.begin((tx) =>
    insertProvider(tx, box, {
      name: `Sandbox ${unique()}`,
      config: { kind: 'sandbox', accountSid, from },
      secrets: { kind: 'sandbox', authToken },
      segmentProfile,
      ratePerSecond,
      maxInFlight: inFlight,
    }),
  );
  return provider.id;
}

/** A gateway at `url`, called with GET, whose 2xx means that it took the message. */
export async function createHttpProvider(
  { sql, box }: Pick<System, 'sql' | 'box'>,
  url: string,
  { deduplicates = false }: { deduplicates?: boolean } = {},
): Promise<number> {
  const provider = await sql.begin((tx) =>
    insertProvider(tx, box, {
      name: `Gateway ${unique()}`,
      config: providerConfig.parse({
        kind: 'http',
        deduplicates,
        request: {
          method: 'GET',
          url: `${url}/send?to={to}&text={text}`,
          headers: {},
          body: { kind: 'none' },
        },
      }),
      secrets: { kind: 'http', callbackSecret: 'a-secret-of-twenty-letters', values: {} },
      segmentProfile: 'gsm',
      ratePerSecond: null,
      maxInFlight,
    }),
  );
  return provider.id;
}

export const always: SendingHours = {
  timezone: 'UTC',
  windows: [{ days: [...weekdays], from: '00:00', to: '24:00' }],
};

export async function createHours(sql: Database, definition: SendingHours = always): Promise<number> {
  return (await insertSetting(sql, 'sendingHours', { name: `Hours ${unique()}`, definition })).id;
}

/** The mobile number of a line of `mailing`, in E.164. */
export const phoneOf = (line: number): string => `+551190${String(line).padStart(7, '0')}`;

/** The layout's header, and contacts with names and numbers of their own. */
export const mailing = (lines: number): string =>
  [
    'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem',
    ...Array.from({ length: lines }, (_, i) => `${i + 1};Contato ${i + 1};${phoneOf(i + 1)};;;;`),
    '',
  ].join('\n');

/** Stores the file and makes it the campaign's. */
export async function addMailing(sql: Database, campaignId: number, content: string | Buffer): Promise<void> {
  await sql.begin(async (tx) => {
    const id = await createMailingFile(tx, campaignId, 'system');
    const bytes = Buffer.from(content);
    // In pieces, as an upload arrives.
    const source = (async function* () {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    })();
    for (const pieces = storeMailingFile(tx, id, source); !(await pieces.next()).done;);
    await finishMailingFile(tx, { id, bytes: bytes.length, sha256: Buffer.alloc(32), lines: 0, badLines: 0 });
    await setMailingFile(tx, campaignId, id);
  });
}

/** In UTC, as `startsAt` has it. */
export const localTime = (at: Date): string => at.toISOString().slice(0, 19);

/** The numbers of `mailing(count)`. */
export const phonesOf = (count: number): string[] => Array.from({ length: count }, (_, i) => phoneOf(i + 1));

/** A schedule that is not due in the life of a test. */
export const someDay = { recurrence: { every: 'once' }, startsAt: '2099-01-01T09:00', timezone: 'UTC' };

export interface CampaignChoices {
  providerId?: number;
  hoursId?: number;
  schedule?: object;
  template?: string;
  runDespitePending?: boolean;
  expiresAfterHours?: number | null;
  safeguards?: object;
  ticketPolicy?: object;
  /** Lines of the mailing, or the file itself. */
  mailing?: number | string | Buffer;
  /** Its contacts come from here instead. */
  webservice?: object;
  extraFields?: object[];
}

/** Complete, with its file, and not enabled. */
export async function createCampaign(
  system: Pick<System, 'sql' | 'box'>,
  choices: CampaignChoices = {},
): Promise<{ id: number; name: string; definition: CampaignDraft }> {
  const { sql } = system;
  const definition = campaignDraft.parse({
    name: `Campaign ${unique()}`,
    schedule: choices.schedule ?? someDay,
    message: {
      template: choices.template ?? 'Ola, {nome}! Pedido {codigo}.',
      providerId: choices.providerId ?? (await createProvider(system)),
    },
    mailing: {
      ...(choices.webservice ? { source: 'webservice', webservice: choices.webservice } : { source: 'csv' }),
      ...(choices.extraFields ? { extraFields: choices.extraFields } : {}),
      sendingHoursId: choices.hoursId ?? (await createHours(sql)),
      runDespitePending: choices.runDespitePending ?? false,
      expiresAfterHours: choices.expiresAfterHours ?? null,
    },
    safeguards: choices.safeguards ?? {},
    ...(choices.ticketPolicy ? { ticketPolicy: choices.ticketPolicy } : {}),
  });
  const { id } = await insertCampaign(sql, definition);
  const content = choices.mailing ?? 3;
  if (!choices.webservice)
    await addMailing(sql, id, typeof content === 'number' ? mailing(content) : content);
  return { id, name: definition.name, definition };
}

/** A campaign that is enabled, with its workflow. */
export async function createEnabledCampaign(system: System, choices: CampaignChoices = {}) {
  const campaign = await createCampaign(system, choices);
  await enableCampaign(system.sql, campaign.id);
  await system.temporal.syncCampaign(campaign);
  return campaign;
}

export type Run = Pick<RunRow, 'id' | 'campaignId' | 'occurrence' | 'trigger' | 'providerId'>;

/** "Run now" of a campaign, of a new one if none is given. */
export async function startRun(
  system: System,
  choices: CampaignChoices & { campaign?: { id: number; name: string } } = {},
): Promise<Run> {
  const campaign = choices.campaign ?? (await createEnabledCampaign(system, choices));
  const { runId } = await system.temporal.runNow(campaign);
  return readRun(system.sql, runId);
}

export async function readRun(sql: Database, id: number): Promise<RunRow> {
  const run = await getRun(sql, id);
  if (!run) throw new Error(`There is no run ${id}.`);
  return run;
}

export async function readCampaign(sql: Database, id: number) {
  const campaign = await getCampaign(sql, id);
  if (!campaign) throw new Error(`There is no campaign ${id}.`);
  return campaign;
}
