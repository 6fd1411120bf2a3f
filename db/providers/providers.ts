import type { ProviderAccount, ProviderConfig, ProviderSecrets } from '../../domain/provider.ts';
import { defaultInFlight, providerAccount, providerConfig, providerSecrets } from '../../domain/provider.ts';
import {
  profiles,
  type SegmentProfile,
  type SegmentProfileName,
  segmentProfileName,
} from '../../domain/segments.ts';
import { campaignsUsing } from '../campaigns/references.ts';
import type { Sql } from '../core/client.ts';
import type { SealedPlace, SecretBox } from '../core/secrets.ts';

export interface ProviderRow {
  id: number;
  name: string;
  config: ProviderConfig;
  segmentProfile: SegmentProfileName;
  /** Segments per second over all workers and campaigns; null: no limit. */
  ratePerSecond: number | null;
  /** Maximum number of concurrent sends over all workers and campaigns. */
  maxInFlight: number;
  /** The provider that takes over messages from this one (db/providers/fallbacks.ts). */
  fallbackId: number | null;
  archivedAt: Date | null;
}

const columns = (sql: Sql) =>
  sql`id, name, config, segment_profile, rate_per_second::float8 as rate_per_second, max_in_flight, fallback_id, archived_at`;

const parsed = (row: ProviderRow): ProviderRow => ({
  ...row,
  config: providerConfig.parse(row.config),
  segmentProfile: segmentProfileName.parse(row.segmentProfile),
});

const place = (id: number): SealedPlace => ({ column: 'providers.secrets', row: id });

export interface NewProvider {
  name: string;
  config: ProviderConfig;
  secrets: ProviderSecrets;
  segmentProfile: SegmentProfileName;
  ratePerSecond: number | null;
  /** If omitted: the default of its kind, or the previous value. */
  maxInFlight?: number | undefined;
}

/** Call it in a transaction: the secrets are sealed to the id that the first statement returns. */
export async function insertProvider(sql: Sql, box: SecretBox, provider: NewProvider): Promise<ProviderRow> {
  const [row] = await sql<[ProviderRow]>`
    insert into providers (name, config, secrets, segment_profile, rate_per_second, max_in_flight)
    values (${provider.name}, ${sql.json(provider.config)}, '', ${provider.segmentProfile}, ${provider.ratePerSecond},
      ${provider.maxInFlight ?? defaultInFlight[provider.config.kind]})
    returning ${columns(sql)}`;
  await setProviderSecrets(sql, box, row.id, provider.secrets);
  await sql`insert into provider_rates (provider_id) values (${row.id})`;
  return parsed(row);
}

export async function setProviderSecrets(
  sql: Sql,
  box: SecretBox,
  id: number,
  secrets: ProviderSecrets,
): Promise<void> {
  await sql`update providers set secrets = ${box.seal(JSON.stringify(secrets), place(id))} where id = ${id}`;
}

/** Changes the public fields. Null when there is no such provider. */
export async function updateProvider(
  sql: Sql,
  provider: { id: number } & Omit<NewProvider, 'secrets'>,
): Promise<ProviderRow | null> {
  const [row] = await sql<ProviderRow[]>`
    update providers set name = ${provider.name}, config = ${sql.json(provider.config)},
      segment_profile = ${provider.segmentProfile}, rate_per_second = ${provider.ratePerSecond},
      max_in_flight = coalesce(${provider.maxInFlight ?? null}, max_in_flight)
    where id = ${provider.id} returning ${columns(sql)}`;
  return row ? parsed(row) : null;
}

export async function setProviderArchived(sql: Sql, id: number, archived: boolean): Promise<void> {
  await sql`update providers set archived_at = ${archived ? sql`coalesce(archived_at, now())` : null} where id = ${id}`;
}

export type ProviderUse =
  { kind: 'campaign' | 'provider'; id: number; name: string } | { kind: 'runs'; count: number };

/** The uses of a provider: at most 20 campaigns and providers (as their fallback) by name, and the number of runs. */
export async function providerUses(sql: Sql, id: number): Promise<ProviderUse[]> {
  const campaigns = await campaignsUsing(sql, 'providers', id);
  const providers = await sql<{ id: number; name: string }[]>`
    select id, name from providers where fallback_id = ${id} order by name limit 20`;
  const [runs] = await sql<
    [{ count: number }]
  >`select count(*)::int as count from runs where provider_id = ${id}`;
  return [
    ...campaigns.map((campaign) => ({ kind: 'campaign' as const, ...campaign })),
    ...providers.map((provider) => ({ kind: 'provider' as const, ...provider })),
    ...(runs.count > 0 ? [{ kind: 'runs' as const, ...runs }] : []),
  ];
}

/**
 * False when there is no such provider, or it has called us: its callbacks belong to messages. Throws PostgreSQL's
 * 23503 when something refers to it.
 */
export async function deleteProvider(sql: Sql, id: number): Promise<boolean> {
  const rows = await sql`
    delete from providers where id = ${id} and not exists (select from inbound_events where provider_id = ${id})`;
  return rows.count > 0;
}

export async function listProviders(sql: Sql): Promise<ProviderRow[]> {
  const rows = await sql<ProviderRow[]>`select ${columns(sql)} from providers order by name`;
  return rows.map(parsed);
}

export async function getProvider(sql: Sql, id: number): Promise<ProviderRow | null> {
  const [row] = await sql<ProviderRow[]>`select ${columns(sql)} from providers where id = ${id}`;
  return row ? parsed(row) : null;
}

/** The same, locked until the transaction ends, so that its address and secrets do not change during a decision. */
export async function lockProvider(sql: Sql, id: number): Promise<ProviderRow | null> {
  const [row] = await sql<ProviderRow[]>`select ${columns(sql)} from providers where id = ${id} for update`;
  return row ? parsed(row) : null;
}

/** The opened secrets; null when there is no such provider. */
export async function getProviderSecrets(
  sql: Sql,
  box: SecretBox,
  id: number,
): Promise<ProviderSecrets | null> {
  const [row] = await sql<{ secrets: string }[]>`select secrets from providers where id = ${id}`;
  return row ? providerSecrets.parse(JSON.parse(box.open(row.secrets, place(id)))) : null;
}

/** Config and opened secrets, for the adapter. */
export async function getProviderAccount(
  sql: Sql,
  box: SecretBox,
  id: number,
): Promise<(ProviderAccount & { id: number; reference: string; segmentProfile: SegmentProfileName }) | null> {
  const [row] = await sql<
    { config: unknown; secrets: string; reference: string; segmentProfile: string }[]
  >`select config, secrets, reference, segment_profile from providers where id = ${id}`;
  if (!row) return null;
  const secrets = providerSecrets.parse(JSON.parse(box.open(row.secrets, place(id))));
  return {
    ...providerAccount.parse({ ...providerConfig.parse(row.config), ...secrets }),
    id,
    reference: row.reference,
    segmentProfile: segmentProfileName.parse(row.segmentProfile),
  };
}

/** When the reserved sends may leave: the first after `waitMs`, the others at `ratePerSecond`. */
export interface Reservation {
  waitMs: number;
  /** When the reservation was made, by the database's clock, in milliseconds. */
  clock: number;
  /** Null: no limit. */
  ratePerSecond: number | null;
  /** For how long the provider asked for a pause. Included in `waitMs`. */
  heldMs: number;
  /** Consecutive answers with an unknown outcome. */
  doubts: number;
}

/**
 * Reserves `segments` of the provider's rate for the caller (GCRA): the slot begins where the previous one ended,
 * whichever worker reserved it. A change of the rate applies from the next reservation.
 */
export async function reserveRate(sql: Sql, providerId: number, segments: number): Promise<Reservation> {
  // clock_timestamp(), because now() is from before the wait for the row's lock.
  const [row] = await sql<[Reservation]>`
    with rate as (select id, rate_per_second from providers where id = ${providerId}),
    reserved as (
      update provider_rates as r
      set reserved_until = greatest(r.reserved_until, r.held_until, clock_timestamp())
        + coalesce(make_interval(secs => ${segments}::float8 / rate.rate_per_second::float8), interval '0')
      from rate where r.provider_id = rate.id and rate.rate_per_second is not null
      returning greatest(old.reserved_until, old.held_until, clock_timestamp()) as starts_at
    )
    select rate.rate_per_second::float8 as rate_per_second, extract(epoch from clock_timestamp())::float8 * 1000 as clock,
      greatest(0, extract(epoch from coalesce((select starts_at from reserved), held.held_until) - clock_timestamp()) * 1000)::float8 as wait_ms,
      coalesce(greatest(0, extract(epoch from held.held_until - clock_timestamp()) * 1000), 0)::float8 as held_ms, held.doubts
    from rate join provider_rates as held on held.provider_id = rate.id`;
  return row;
}

/**
 * The same for an answer to a customer, which does not wait for what campaigns have reserved: answers queue among
 * themselves, and everything reserved later begins later by as much. So the rate may be exceeded only by what was
 * reserved ahead, less than a second (activities/lane.ts).
 */
export async function reserveAnswerRate(
  sql: Sql,
  providerId: number,
  segments: number,
): Promise<Pick<Reservation, 'waitMs' | 'heldMs'>> {
  const [row] = await sql<[Pick<Reservation, 'waitMs' | 'heldMs'>]>`
    with rate as (
      select id, coalesce(make_interval(secs => ${segments}::float8 / rate_per_second::float8), interval '0') as cost
      from providers where id = ${providerId}
    ), reserved as (
      update provider_rates as r set
        answers_until = greatest(r.answers_until, r.held_until, clock_timestamp()) + rate.cost,
        reserved_until = greatest(r.reserved_until, clock_timestamp()) + rate.cost
      from rate where r.provider_id = rate.id
      returning greatest(old.answers_until, old.held_until, clock_timestamp()) as starts_at, new.held_until
    )
    select greatest(0, extract(epoch from starts_at - clock_timestamp()) * 1000)::float8 as wait_ms,
      coalesce(greatest(0, extract(epoch from held_until - clock_timestamp()) * 1000), 0)::float8 as held_ms
    from reserved`;
  return row;
}

/** The segment profile of the provider; the standard profile for null. */
export async function profileOf(sql: Sql, providerId: number | null): Promise<SegmentProfile> {
  const provider = providerId === null ? null : await getProvider(sql, providerId);
  return profiles[provider?.segmentProfile ?? 'gsm'];
}
