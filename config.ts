import { z } from 'zod';
import { isAllowEntry } from './mailing/address-guard.ts';
import { defaultTimezone, isTimezone } from './domain/calendar.ts';
import { currency, defaultCurrency } from './domain/price.ts';
import { workerQueues } from './workflows/queues.ts';

const optional = z.string().min(1).optional();

const milliseconds = (value: number) => z.coerce.number().int().positive().default(value);

/** `id:base64` pairs with commas between, newest first; each key is 32 bytes. */
const secretKeys = z
  .string({
    error: 'Set SECRET_KEYS: `id:base64` of 32 random bytes, for example `2026:$(openssl rand -base64 32)`.',
  })
  .transform((text, context) =>
    text.split(',').map((pair) => {
      const colon = pair.indexOf(':');
      const [id, key] = [pair.slice(0, colon).trim(), Buffer.from(pair.slice(colon + 1), 'base64')];
      if (colon < 1 || key.length !== 32) context.addIssue('Each key is `id:base64` of 32 bytes.');
      return { id, key };
    }),
  );

/** `host:port`; an IPv6 address in brackets. */
const hostAndPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, '`host:port`, for example 127.0.0.1:3001.')
  .transform((text) => {
    const colon = text.lastIndexOf(':');
    return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
  })
  .refine(({ port }) => port <= 65_535, 'A port is at most 65535.');

/** Addresses, ranges and names of hosts, with commas between. */
const allowList = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  )
  .refine((entries) => entries.every(isAllowEntry), 'Addresses, ranges or host names, separated by commas.');

const environment = z.object({
  DATABASE_URL: z.string({ error: 'Set DATABASE_URL: postgres://user:password@host:5432/database.' }).min(1),
  DATABASE_POOL: z.coerce.number().int().min(2).default(10),
  TEMPORAL_ADDRESS: z.string({ error: 'Set TEMPORAL_ADDRESS: host:7233.' }).min(1),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_API_KEY: optional,
  TEMPORAL_TLS: z.stringbool().default(false),
  /** Where users open the Temporal UI; the API links to it. */
  TEMPORAL_UI_URL: z.url().optional(),
  /** Where users and providers reach this deployment. */
  PUBLIC_URL: z
    .url({ error: 'Set PUBLIC_URL: the https://… address at which providers reach the API.' })
    .transform((url) => url.replace(/\/$/, '')),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  /** The proxies in front of the API whose X-Forwarded-For is believed: addresses or ranges with commas between. */
  TRUSTED_PROXIES: optional,
  SECRET_KEYS: secretKeys,
  SANDBOX_URL: z
    .url()
    .default('http://127.0.0.1:3003')
    .transform((url) => url.replace(/\/$/, '')),
  SEND_TIMEOUT_MS: milliseconds(10_000),
  /** A provider that asks for a longer pause (Retry-After) gets this one. */
  PROVIDER_PAUSE_LIMIT_MS: milliseconds(15 * 60_000),
  /**
   * Where described HTTP gateways may be besides the public internet: addresses, ranges (10.1.0.0/16) and names of
   * hosts, with commas between.
   */
  GATEWAY_ALLOW: allowList,
  /** The same for the helpdesk that tickets are posted to. */
  HELPDESK_ALLOW: allowList,
  /** The same for the SMTP server and the webhook of alerts. */
  ALERTS_ALLOW: allowList,
  /** What a worker polls: `workflows`, `sending`, or both, so that sending scales by itself. */
  WORKER_QUEUES: z
    .string()
    .default(workerQueues.join(','))
    .transform((text) => text.split(',').map((queue) => queue.trim()))
    .pipe(
      z
        .array(z.enum(workerQueues, { error: 'Use `workflows`, `sending`, or both, separated by a comma.' }))
        .min(1),
    ),
  /** The build id of a worker for Temporal; unset: every worker takes any work. */
  WORKER_BUILD_ID: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'Use up to 100 letters, digits, `.`, `-` or `_`, such as v1.4.0.')
    .optional(),
  /** How many senders work on one run at once, over all workers. */
  SENDER_SLOTS: z.coerce.number().int().min(1).max(5_000).default(500),
  SENDERS_PER_RUN: z.coerce.number().int().min(1).max(50).default(1),
  /** A run of at most this number of messages sends each in its own activity, visible in the Temporal UI. */
  SINGLE_SEND_UP_TO: z.coerce.number().int().min(0).max(500).default(20),
  /** The currency, ISO 4217. A change converts no stored amount. */
  CURRENCY: currency.default(defaultCurrency),
  /** The deployment's zone: where the days and months of prices, budgets and reports begin. */
  TIMEZONE: z
    .string()
    .refine(isTimezone, 'An IANA time zone, such as America/Sao_Paulo.')
    .default(defaultTimezone),
  /** A run that could not start when it was due still starts this much later; beyond it is recorded as missed. */
  GRACE_PERIOD_MS: milliseconds(3_600_000),
  /** A reply that comes later than this after our last message to the phone answers none. */
  REPLY_WINDOW_DAYS: z.coerce.number().int().min(1).max(365).default(30),
  /**
   * Where mailings may be fetched from besides the public internet: addresses, ranges (10.1.0.0/16) and names of hosts,
   * with commas between.
   */
  WEBSERVICE_ALLOW: allowList,
  /** The maximum size of all answers of one mailing, compressed or not. */
  WEBSERVICE_LIMIT_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(1024 * 1024 * 1024),
  /** The longest wait for the connection to a web service, its response headers, and the next bytes of its answer. */
  WEBSERVICE_IDLE_MS: milliseconds(60_000),
  /** The total time of all answers of one mailing. Less than the hour that the activity may take. */
  WEBSERVICE_TIMEOUT_MS: milliseconds(30 * 60_000),
  /** How long an unavailable web service is retried; then the run fails, and can be retried. */
  WEBSERVICE_RETRY_MS: milliseconds(30 * 60_000),
  /** The retention of the original answers of web services, in days. */
  RAW_ANSWER_DAYS: z.coerce.number().int().min(1).default(30),
  UPLOAD_LIMIT_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(1024 * 1024 * 1024),
  /** Where the worker shows its figures and the SDK's to Prometheus, `host:port`; unset: nowhere. It has no login. */
  WORKER_METRICS_ADDRESS: optional,
  /** Where the worker answers health checks, `host:port`; unset: nowhere. */
  WORKER_HEALTH_ADDRESS: hostAndPort.optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
export type Config = z.infer<typeof environment>;

/** What `npm run migrate` reads of it. */
const migrationEnvironment = environment
  .pick({
    DATABASE_URL: true,
    TEMPORAL_ADDRESS: true,
    TEMPORAL_NAMESPACE: true,
    TEMPORAL_API_KEY: true,
    TEMPORAL_TLS: true,
  })
  .extend({ TEMPORAL_ADDRESS: optional });

/** What `npm run reseal` reads of it. */
const resealEnvironment = environment.pick({ DATABASE_URL: true, SECRET_KEYS: true });

/** The environment is not valid; the message lists every problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Source = Record<string, string | undefined>;

/** Reads and checks the whole configuration at once. Throws `ConfigError` naming all that is missing or wrong. */
export const readConfig = (source: Source = process.env): Config => read(environment, source);

/** The same for `npm run migrate`. */
export const readMigrationConfig = (source: Source = process.env): z.infer<typeof migrationEnvironment> =>
  read(migrationEnvironment, source);

/** The same for `npm run reseal`. */
export const readResealConfig = (source: Source = process.env): z.infer<typeof resealEnvironment> =>
  read(resealEnvironment, source);

function read<T extends z.ZodType>(schema: T, source: Source): z.output<T> {
  const known = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ''));
  const result = schema.safeParse(known);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`The configuration is not valid:\n${problems.join('\n')}`);
}
