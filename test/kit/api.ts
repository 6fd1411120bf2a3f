import { randomBytes, randomInt } from 'node:crypto';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { afterAll, inject } from 'vitest';
import { buildApp } from '../../api/http/app.ts';
import { hashSecret, newToken } from '../../api/http/auth.ts';
import type { RequestsPerMinute } from '../../api/http/request-limits.ts';
import { createTemporal, type Temporal } from '../../api/services/temporal.ts';
import { insertCampaign } from '../../db/campaigns/campaigns.ts';
import { importMessages } from '../../db/messages/messages.ts';
import { enterStep, insertRun, markMailingRead } from '../../db/runs/runs.ts';
import { createSecretBox } from '../../db/core/secrets.ts';
import { insertToken } from '../../db/access/tokens.ts';
import { insertUser } from '../../db/access/users.ts';
import { campaign as completeCampaign, campaignDraft } from '../../domain/campaign.ts';
import type { Role } from '../../domain/user.ts';
import type { WebserviceDeps } from '../../mailing/webservice.ts';
import { connect } from '../../db/core/client.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { connectAnywhere, localTokens } from './connect.ts';
import { localOutgoing } from './outgoing.ts';
import type { Passwords } from '../../api/access/passwords.ts';
import { cheapHash, cheapPasswords } from './password.ts';
import { localWebservice } from './webservice.ts';

export const publicUrl = 'https://torpedo.example';
export const box = createSecretBox([{ id: 'test', key: randomBytes(32) }]);

export interface TestApi extends TestDatabase {
  app: FastifyInstance;
  temporal: Temporal;
  taskQueue: string;
  /** Sends a request with the token of the role. */
  as: (role: Role) => Requester;
  tokens: Record<Role, string>;
  adminId: number;
}
export type Requester = (
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: string,
  payload?: InjectOptions['payload'],
  headers?: Record<string, string>,
) => Promise<LightMyRequestResponse>;

export interface TestApiOptions {
  /** The public address for the webhooks of providers and for pages. */
  publicUrl?: string;
  sandboxUrl?: string;
  uploadLimitBytes?: number;
  webservice?: WebserviceDeps;
  clock?: () => Date;
  temporalAddress?: string;
  temporalTimeoutMs?: number;
  requestsPerMinute?: RequestsPerMinute;
  /** Cheap hashing unless the test is about its cost. */
  passwords?: Passwords;
  /** Gives the API its own pool with this many connections and the limits of production. Otherwise it shares the test's pool. */
  pool?: number;
}

/** The application name of the connections of an API with its own pool. */
export const apiApplication = 'torpedo-api';

export const adminPassword = 'correct horse battery';

/** The API on its own database, with an admin and a token for each role. Its task queue has no workers. */
export async function createApi(options: TestApiOptions = {}): Promise<TestApi> {
  const database = await createDatabase();
  const { sql } = database;
  // All test files share a Temporal server, and workflow ids are built from these ids.
  for (const sequence of ['campaigns_id_seq', 'inbound_messages_id_seq', 'tickets_id_seq']) {
    await sql`select setval(${sequence}, ${randomInt(1_000_000_000)})`;
  }
  const taskQueue = `test-${randomBytes(6).toString('hex')}`;
  const temporal = createTemporal({
    address: options.temporalAddress ?? inject('temporalAddress'),
    namespace: 'default',
    tls: false,
    taskQueue,
    uiUrl: 'http://localhost:8233',
    timeoutMs: options.temporalTimeoutMs ?? 10_000,
  });
  const pool =
    options.pool === undefined
      ? sql
      : connect(database.url, { max: options.pool, application: apiApplication, purpose: 'request' });
  const app = await buildApp({
    sql: pool,
    box,
    passwords: options.passwords ?? cheapPasswords,
    temporal,
    logger: pino({ level: 'silent' }),
    sms: {
      publicUrl: options.publicUrl ?? publicUrl,
      sandboxUrl: options.sandboxUrl ?? 'http://127.0.0.1:1',
      sendTimeoutMs: 2_000,
      connections: 4,
      connect: connectAnywhere,
      tokens: localTokens,
    },
    webservice: options.webservice ?? localWebservice,
    outgoing: localOutgoing,
    uploadLimitBytes: options.uploadLimitBytes ?? 10 * 1024 * 1024,
    ...(options.requestsPerMinute ? { requestsPerMinute: options.requestsPerMinute } : {}),
    ...(options.clock ? { clock: options.clock } : {}),
  });
  afterAll(async () => {
    await app.close();
    await temporal.close();
    if (pool !== sql) await pool.end();
    await database.drop();
  });

  const admin = await insertUser(sql, {
    login: 'admin',
    name: 'Ana',
    role: 'admin',
    passwordHash: cheapHash(adminPassword),
  });
  // Tokens belong to a user who is not the admin, so that a test can change the admin without losing them.
  const maker = await insertUser(sql, { login: 'maker', name: 'Maker', role: 'viewer', passwordHash: '' });
  const tokenOf = async (role: Role): Promise<string> => {
    const token = newToken();
    await insertToken(sql, {
      name: role,
      role,
      tokenHash: hashSecret(token),
      createdBy: maker.id,
      expiresAt: null,
    });
    return token;
  };
  const tokens = {
    admin: await tokenOf('admin'),
    operator: await tokenOf('operator'),
    agent: await tokenOf('agent'),
    viewer: await tokenOf('viewer'),
  };
  return {
    ...database,
    app,
    temporal,
    taskQueue,
    tokens,
    adminId: admin.id,
    as: (role) => (method, url, payload, headers) =>
      app.inject({
        method,
        url,
        ...(payload === undefined ? {} : { payload }),
        headers: { authorization: `Bearer ${tokens[role]}`, ...headers },
      }),
  };
}

/** Ids of the settings that a campaign refers to. */
export interface Catalog {
  providerId: number;
  hoursId: number;
  calendarId: number;
}

const always = {
  timezone: 'America/Sao_Paulo',
  windows: [
    {
      days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
      from: '00:00',
      to: '24:00',
    },
  ],
};
export const sandboxAccount = { accountSid: `AC${'0123456789abcdef'.repeat(2)}`, authToken: 'the-token' };
export const sandboxProvider = {
  config: { kind: 'sandbox', accountSid: sandboxAccount.accountSid, from: '+5511999990000' },
  secrets: { kind: 'sandbox', authToken: sandboxAccount.authToken },
};

/** Creates the settings through the API, as an admin does. */
export async function createCatalog({ as }: TestApi): Promise<Catalog> {
  const make = async (url: string, payload: object): Promise<number> => {
    const answer = await as('admin')('POST', url, payload);
    if (answer.statusCode !== 201) throw new Error(answer.body);
    return answer.json<{ id: number }>().id;
  };
  return {
    providerId: await make('/api/providers', { name: 'Sandbox', ...sandboxProvider }),
    hoursId: await make('/api/settings/sending-hours', { name: 'Always', definition: always }),
    calendarId: await make('/api/settings/holiday-calendars', {
      name: 'National',
      definition: { holidays: [{ date: '2030-12-25', name: 'Natal' }] },
    }),
  };
}

let campaignNumber = 0;

/** A campaign that can be enabled after a file is uploaded. `changes` replace whole blocks. */
export const documentOf = (
  { providerId, hoursId }: Pick<Catalog, 'providerId' | 'hoursId'>,
  changes: object = {},
) => ({
  name: `Campaign ${++campaignNumber}`,
  schedule: {
    recurrence: { every: 'day' },
    startsAt: '2030-01-01T09:00',
    timezone: 'America/Sao_Paulo',
  },
  message: { template: 'Olá {nome}, seu código é {codigo}.', providerId },
  mailing: { source: 'csv', sendingHoursId: hoursId },
  ...changes,
});

/** The header of the CSV layout and `count` contacts with distinct mobile numbers. */
export const csvOf = (count: number): string =>
  [
    'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem',
    ...Array.from(
      { length: count },
      (_, i) => `${i + 1};Maria ${i + 1};1190000${String(i).padStart(4, '0')};;;;`,
    ),
  ].join('\n');

/** Saves a complete campaign with a file of `lines` contacts and does not enable it. */
export async function createReadyCampaign(
  api: TestApi,
  document: object,
  { lines = 3 }: { lines?: number } = {},
): Promise<number> {
  const saved = await api.as('operator')('POST', '/api/campaigns', document);
  if (saved.statusCode !== 201) throw new Error(saved.body);
  const { id } = saved.json<{ id: number }>();
  const uploaded = await api.as('operator')('PUT', `/api/campaigns/${id}/mailing/file`, csvOf(lines), {
    'content-type': 'text/csv',
  });
  if (uploaded.statusCode !== 200) throw new Error(uploaded.body);
  return id;
}

/** Creates a sending run whose mailing was read. Each phone has a queued message, each null a skipped one. */
export async function createRun(
  { sql }: Pick<TestApi, 'sql'>,
  catalog: Pick<Catalog, 'providerId' | 'hoursId'>,
  {
    phones = ['+5511900000001'],
    changes = {},
  }: { phones?: readonly (string | null)[]; changes?: object } = {},
): Promise<{ runId: number; campaignId: number; messageIds: number[] }> {
  const definition = campaignDraft.parse(documentOf(catalog, changes));
  const row = await insertCampaign(sql, definition);
  const run = await insertRun(sql, {
    campaignId: row.id,
    occurrence: new Date(),
    trigger: 'manual',
    status: 'running',
    reason: null,
    settings: {
      campaign: completeCampaign.parse(definition),
      segmentProfile: 'gsm',
    },
    mailingFileId: null,
    expiresAt: null,
  });
  async function* lines() {
    yield phones.map((phone, index) => ({
      line: index + 2,
      status: phone === null ? ('skipped' as const) : ('queued' as const),
      reason: phone === null ? ('phone_missing' as const) : null,
      code: String(index + 1),
      name: `Maria ${index + 1}`,
      phone,
      text: phone === null ? null : `Ola Maria ${index + 1}`,
      segments: phone === null ? 0 : 1,
      customerId: null,
      extra: {},
      extraPhones: null,
      fault: null,
      warnings: [],
    }));
  }
  await sql.begin(async (tx) => {
    await importMessages(tx, run.id, lines());
    await markMailingRead(tx, run.id);
    await enterStep(tx, run.id, 'sending');
  });
  const messages = await sql<
    { id: number }[]
  >`select id from messages where run_id = ${run.id} order by line`;
  return { runId: run.id, campaignId: row.id, messageIds: messages.map(({ id }) => id) };
}

interface ApiErrorBody {
  params: Record<string, unknown>;
  code: string;
  message: string;
  problems?: { field: string; code: string; message: string }[];
  requestId: string;
}

/** Returns the error of an answer, and throws when it has none. */
export function errorOf(answer: LightMyRequestResponse): ApiErrorBody & Record<string, unknown> {
  const { error } = answer.json<{ error?: ApiErrorBody & Record<string, unknown> }>();
  if (!error) throw new Error(`Expected an error, got ${answer.statusCode} ${answer.body}`);
  return error;
}
