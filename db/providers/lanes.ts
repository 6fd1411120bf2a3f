import type { Sql } from '../core/client.ts';

/** A process without a heartbeat for this long has stopped sending. */
const laneMs = 3_000;
/** The remainder of `max_in_flight` moves to another process at this interval, so that each gets it in turn. */
const turnSeconds = 5;

/** One worker process's share of a provider. */
export interface LaneShare {
  /** The maximum number of its concurrent sends. */
  inFlight: number;
  /** The senders of all processes together. */
  senders: number;
}

/**
 * Confirms the number of a process's senders for a provider, and returns its share of the provider's `max_in_flight`.
 * The shares of all processes add up to exactly that.
 */
export async function confirmLane(
  sql: Sql,
  { providerId, worker, senders }: { providerId: number; worker: string; senders: number },
): Promise<LaneShare> {
  const [share] = await sql<[LaneShare]>`
    with lost as (
      delete from provider_lanes
      where provider_id = ${providerId} and expires_at < clock_timestamp() - interval '1 minute'
    ), mine as (
      insert into provider_lanes (provider_id, worker, senders, expires_at)
      values (${providerId}, ${worker}, ${senders}, clock_timestamp() + ${laneMs}::int * interval '1 ms')
      on conflict (provider_id, worker) do update set senders = excluded.senders, expires_at = excluded.expires_at
    ), others as (
      select count(*)::int as lanes, count(*) filter (where worker < ${worker})::int as before,
        coalesce(sum(senders), 0)::int as senders
      from provider_lanes
      where provider_id = ${providerId} and worker <> ${worker} and expires_at > clock_timestamp()
    )
    select others.senders + ${senders}::int as senders,
      (max_in_flight + (before + (extract(epoch from clock_timestamp())::bigint / ${turnSeconds}::int))::bigint % (lanes + 1))::int / (lanes + 1) as in_flight
    from others, providers where providers.id = ${providerId}`;
  return share;
}
