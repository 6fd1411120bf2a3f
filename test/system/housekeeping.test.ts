import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { holdPhone } from '../../db/customers/opt-outs.ts';
import { weekdays } from '../../domain/calendar.ts';
import { campaignWorkflowId } from '../../domain/ids.ts';
import { housekeeping } from '../../workflows/housekeeping.ts';
import { createEnabledCampaign, createHours, readRun, type Run, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const system = await createSystem();
const { sql, client, temporal, taskQueue, clock } = system;
const probe = createRunProbe(system);
afterEach(() => {
  clock.aheadMs = 0;
});

describe('housekeeping', () => {
  /** Runs one round and returns its summary, which Temporal's UI shows. */
  async function round(): Promise<string> {
    const handle = await client.workflow.start(housekeeping, {
      workflowId: `housekeeping-${taskQueue}`,
      taskQueue,
      args: [{ secondLookMs: 500 }],
    });
    return handle.result();
  }
  const audited = async (run: Run): Promise<string[]> => {
    const rows = await sql<
      { action: string }[]
    >`select action from audit_log where subject_kind = 'run' and subject_id = ${run.id} order by id`;
    return rows.map(({ action }) => action);
  };

  let finished: Run;
  beforeAll(async () => {
    finished = await startRun(system, { mailing: 3 });
    await probe.ended(finished);
  });

  test('finds nothing when everything is consistent', async () => {
    expect(await round()).toContain('| Runs whose counts differed from their messages (of 1) | 0 |');
    expect(await audited(finished)).toEqual([]);
  });

  test('corrects counts that differ from the messages', async () => {
    await sql`update run_counts set messages = messages + 2 where run_id = ${finished.id} and status = 'sent'`;
    await sql`insert into run_counts (run_id, status, reason, messages, segments) values (${finished.id}, 'failed', 'no_answer', 7, 7)`;
    expect(await round()).toContain('| Runs whose counts differed from their messages (of 1) | 1 |');
    expect(await probe.countOf(finished.id, 'sent')).toBe(3);
    expect(await probe.countOf(finished.id, 'failed')).toBe(0);
    expect(await audited(finished)).toEqual(['run.counts_corrected']);
  });

  test('ends messages that an ended run left queued or sending', async () => {
    const run = await startRun(system, { mailing: 2 });
    await probe.ended(run);
    await sql`
      update messages set status = case line when 2 then 'queued' else 'sending' end, provider_id = null
      where run_id = ${run.id}`;
    await round();
    const rows = await sql<{ status: string; reason: string | null }[]>`
      select status, reason from messages where run_id = ${run.id} order by line`;
    // Both can be resent.
    expect(rows).toEqual([
      { status: 'failed', reason: 'not_sent' },
      { status: 'unknown', reason: 'sender_died' },
    ]);
    expect(await probe.countOf(run.id, 'failed')).toBe(1);
  });

  test('opts out a held phone after the decision period', async () => {
    const [late, fresh] = ['+5511987650001', '+5511987650002'];
    for (const phone of [late, fresh]) await holdPhone(sql, { phone, source: 'reply' });
    await sql`update opt_outs set at = at - interval '7 days' where phone = ${late}`;
    expect(await round()).toContain('| Probable opt-outs that nobody decided on, opted out | 1 |');
    expect(await sql`select phone, state from opt_outs order by phone`).toEqual([
      { phone: late, state: 'opted_out' },
      { phone: fresh, state: 'held' },
    ]);
    expect(await sql`select action, actor from audit_log where subject_kind = 'opt_out'`).toEqual([
      { action: 'hold.undecided', actor: 'system' },
    ]);
  });

  test('starts the missing workflow of an enabled campaign', async () => {
    const campaign = await createEnabledCampaign(system);
    const handle = client.workflow.getHandle(campaignWorkflowId(campaign.id));
    await handle.terminate('by a test');
    await round();
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  test('marks a run whose workflow was terminated as failed, and the run can be retried', async () => {
    const hours = { timezone: 'UTC', windows: [{ days: [...weekdays], from: '08:00', to: '18:00' }] };
    const today = new Date().toISOString().slice(0, 10);
    clock.aheadMs = Date.parse(`${today}T19:00:00Z`) - Date.now();
    const campaign = await createEnabledCampaign(system, { hoursId: await createHours(sql, hours) });
    const run = await startRun(system, { campaign });
    await until('it waits for the hours', async () => (await readRun(sql, run.id)).step === 'hours');
    await probe.workflowOf(run).terminate('by a test');
    await round();
    expect(await readRun(sql, run.id)).toMatchObject({ status: 'failed', reason: { code: 'workflow_lost' } });
    clock.aheadMs += 14 * 60 * 60_000;
    await temporal.retryRun({ ...run, name: campaign.name });
    expect(await probe.ended(run)).toMatchObject({ status: 'finished' });
  });
});
