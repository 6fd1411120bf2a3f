import { defaultProbeDelaysMs, doubtsAllowed, type ProviderTrouble } from '../../domain/provider-trouble.ts';
import type { Sql } from '../core/client.ts';

/** The reasons that hold back the messages of a provider (domain/provider-trouble.ts), stored in its rate row. */

interface TroubleRow {
  providerId: number;
  asOf: Date;
  heldUntil: Date | null;
  heldCode: string | null;
  doubts: number;
  probes: number;
  doubtedAt: Date | null;
  doubtCode: string | null;
}

/** For these providers; omits those without trouble. */
export async function providerTroubles(
  sql: Sql,
  ids: readonly number[],
  probeDelaysMs: readonly number[] = defaultProbeDelaysMs,
): Promise<ReadonlyMap<number, ProviderTrouble>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<TroubleRow[]>`
    select provider_id, clock_timestamp() as as_of, case when held_until > clock_timestamp() then held_until end as held_until,
      held_code, doubts, probes, doubted_at, doubt_code
    from provider_rates
    where provider_id = any(${[...ids]}::bigint[])
      and (held_until > clock_timestamp() or doubts >= ${doubtsAllowed})`;
  return new Map(rows.map((row) => [row.providerId, troubleOf(row, probeDelaysMs)]));
}

/** Null: none. */
export async function providerTrouble(
  sql: Sql,
  id: number,
  probeDelaysMs?: readonly number[],
): Promise<ProviderTrouble | null> {
  return (await providerTroubles(sql, [id], probeDelaysMs)).get(id) ?? null;
}

function troubleOf(row: TroubleRow, probeDelaysMs: readonly number[]): ProviderTrouble {
  const { heldUntil, heldCode, doubts, probes, doubtedAt, doubtCode } = row;
  const delay = probeDelaysMs[probes];
  return {
    asOf: row.asOf,
    pause: heldUntil === null ? null : { until: heldUntil, code: heldCode ?? '' },
    doubt:
      doubts < doubtsAllowed
        ? null
        : {
            answers: doubts,
            probes,
            code: doubtCode ?? '',
            nextAt:
              delay === undefined
                ? null
                : doubtedAt === null
                  ? row.asOf
                  : new Date(doubtedAt.getTime() + delay),
          },
  };
}

/** Stops sending through the provider for `ms` from now: it asked for a pause (429, Retry-After). */
export async function holdProvider(
  sql: Sql,
  providerId: number,
  { ms, code }: { ms: number; code: string },
): Promise<void> {
  await sql`
    update provider_rates
    set held_until = greatest(held_until, clock_timestamp() + make_interval(secs => ${ms / 1000}::float8)), held_code = ${code}
    where provider_id = ${providerId}`;
}

/** A user ends a pause that the provider asked for, and allows a probe after answers with an unknown outcome. */
export async function releaseProvider(sql: Sql, providerId: number): Promise<void> {
  await sql`
    update provider_rates
    set held_until = null, held_code = null, reserved_until = least(reserved_until, clock_timestamp()),
      probes = 0, doubted_at = null
    where provider_id = ${providerId}`;
}

/** The same, only for unknown outcomes: a user resumes a run that was paused for this reason. */
export async function tryInDoubt(sql: Sql, providerId: number): Promise<void> {
  await sql`update provider_rates set probes = 0, doubted_at = null where provider_id = ${providerId} and doubts > 0`;
}

/** Records consecutive answers with an unknown outcome. */
export async function noteDoubt(
  sql: Sql,
  providerId: number,
  { answers, code }: { answers: number; code: string },
): Promise<void> {
  await sql`
    update provider_rates
    set doubts = least(doubts + ${answers}, 1000000), doubted_at = clock_timestamp(), doubt_code = ${code}
    where provider_id = ${providerId}`;
}

/** Whether this message may probe a provider in doubt now: one at a time, at growing intervals. */
export async function takeProbe(
  sql: Sql,
  providerId: number,
  probeDelaysMs: readonly number[],
): Promise<boolean> {
  const trouble = await providerTrouble(sql, providerId, probeDelaysMs);
  if (!trouble?.doubt?.nextAt || trouble.doubt.nextAt > trouble.asOf) return false;
  // Of two at the same time, the second finds another number.
  const rows = await sql`
    update provider_rates set probes = probes + 1, doubted_at = clock_timestamp()
    where provider_id = ${providerId} and doubts >= ${doubtsAllowed} and probes = ${trouble.doubt.probes}`;
  return rows.count > 0;
}

/** The provider has answered clearly: it is no longer in doubt. */
export async function endDoubt(sql: Sql, providerId: number): Promise<void> {
  await sql`
    update provider_rates set doubts = 0, probes = 0, doubted_at = null, doubt_code = null
    where provider_id = ${providerId} and doubts > 0`;
}

/**
 * Records an answer that reports an account error for one message, while the provider takes the run's other messages.
 * Returns how many messages have had one since the provider last took a message. A few are caused by the number, more
 * by the account.
 */
export async function noteSuspect(sql: Sql, providerId: number, messageId: number): Promise<number> {
  const [row] = await sql<{ suspects: number }[]>`
    update provider_rates
    set suspects = case when ${messageId} = any(suspects) then suspects else suspects || ${messageId}::bigint end
    where provider_id = ${providerId} returning cardinality(suspects) as suspects`;
  return row?.suspects ?? 0;
}

/** The provider has accepted a message: its account works. */
export async function endSuspicion(sql: Sql, providerId: number): Promise<void> {
  await sql`update provider_rates set suspects = '{}' where provider_id = ${providerId} and suspects <> '{}'`;
}
