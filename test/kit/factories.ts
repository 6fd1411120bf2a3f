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

/** The minimal rows that a campaign needs to run. Each call creates new rows. */

/** The default `maxInFlight` of the providers created here. */
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

/** A gateway at `url` that is called with GET. Any 2xx means that it accepted the message. */
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

/** The mobile number of a line of `mailing` in E.164. */
export const phoneOf = (line: number): string => `+551190${String(line).padStart(7, '0')}`;

/** The header of the layout and contacts with distinct names and numbers. */
export const mailing = (lines: number): string =>
  [
    'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem',
    ...Array.from({ length: lines }, (_, i) => `${i + 1};Contato ${i + 1};${phoneOf(i + 1)};;;;`),
    '',
  ].join('\n');

/** Stores the file as the mailing of the campaign. */
export async function addMailing(sql: Database, campaignId: number, content: string | Buffer): Promise<void> {
  await sql.begin(async (tx) => {
    const id = await createMailingFile(tx, campaignId, 'system');
    const bytes = Buffer.from(content);
    // In chunks, as an upload arrives.
    const chunks = (async function* () {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    })();
    for (const stored = storeMailingFile(tx, id, chunks); !(await stored.next()).done;);
    await finishMailingFile(tx, { id, bytes: bytes.length, sha256: Buffer.alloc(32), lines: 0, badLines: 0 });
    await setMailingFile(tx, campaignId, id);
  });
}

/** The UTC wall time in the format of `startsAt`. */
export const localTime = (at: Date): string => at.toISOString().slice(0, 19);

/** The numbers of `mailing(count)`. */
export const phonesOf = (count: number): string[] => Array.from({ length: count }, (_, i) => phoneOf(i + 1));

/** A schedule that is not due during a test. */
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
  /** The number of lines of the mailing, or the file itself. */
  mailing?: number | string | Buffer;
  /** A web service mailing instead of a file. */
  webservice?: object;
  extraFields?: object[];
}

/** Creates a complete campaign with its file and does not enable it. */
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

/** Creates an enabled campaign and starts its workflow. */
export async function createEnabledCampaign(system: System, choices: CampaignChoices = {}) {
  const campaign = await createCampaign(system, choices);
  await enableCampaign(system.sql, campaign.id);
  await system.temporal.syncCampaign(campaign);
  return campaign;
}

export type Run = Pick<RunRow, 'id' | 'campaignId' | 'occurrence' | 'trigger' | 'providerId'>;

/** Runs a campaign now, or a new one if none is given. */
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
