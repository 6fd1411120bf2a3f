import { expect, test } from 'vitest';
import { privacySettings } from '../../domain/privacy.ts';
import { savePrivacySettings } from '../../db/customers/privacy.ts';
import { reconcileCounts } from '../../db/runs/runs.ts';
import { housekeeping } from '../../workflows/housekeeping.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { addMailing, createEnabledCampaign, mailing, readRun, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { createTicketCatalog } from '../kit/tickets.ts';

const system = await createSystem();
const { sql, client, taskQueue } = system;
const { ended } = createRunProbe(system);

test('data beyond its retention loses its personal data, and newer data stays', async () => {
  const campaign = await createEnabledCampaign(system, { mailing: 7 });
  const old = await startRun(system, { campaign });
  await ended(old);
  await addMailing(sql, campaign.id, mailing(3));
  const recent = await startRun(system, { campaign });
  await ended(recent);
  await sql`update runs set finished_at = now() - interval '31 days' where id = ${old.id}`;
  await sql`update mailing_files set uploaded_at = now() - interval '31 days'`;
  await sql`
    insert into inbound_events (provider_id, event_key, kind, payload, received_at)
    select provider_id, 'e' || n, 'other', '{}', now() - make_interval(days => 40 - n)
    from runs, generate_series(1, 20) as n where runs.id = ${old.id}`;
  await sql`
    insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, received_at, handled_at)
    select provider_id, 'm' || n, '+55119000000' || n, '1', 'oi', now() - make_interval(days => n), now()
    from runs, generate_series(29, 32) as n where runs.id = ${old.id} order by n desc`;
  await sql`
    insert into audit_log (at, actor, actor_name, action, subject_kind)
    values (now() - interval '31 days', 'system', 'system', 'old', 'run')`;
  const catalog = await createTicketCatalog(sql);
  await sql`
    with t as (
      insert into tickets (cause, campaign_id, run_id, message_id, status, department_id, assignee_id, category_id, subcategory_id)
      select 'send', ${campaign.id}, run_id, id, 'open', ${catalog.departmentId}, ${catalog.assigneeId},
        ${catalog.categoryId}, ${catalog.subcategoryId}
      from messages where run_id = ${recent.id} order by line limit 1 returning id
    ), e as (
      insert into ticket_events (ticket_id, kind, actor) select id, 'changed', 'user:1' from t, generate_series(1, 3)
      returning id, ticket_id
    )
    insert into ticket_posts (event_id, ticket_id, state, answered_at)
    select id, ticket_id, (array['delivered', 'failed', 'delivered'])[row_number() over (order by id)],
      now() - make_interval(days => (array[31, 31, 29])[row_number() over (order by id)])
    from e`;
  // A run that failed during sending and was never retried.
  const given = await startRun(system, { mailing: 5 });
  await ended(given);
  await sql`
    update runs set status = 'failed', step = 'sending', reason = '{"code": "workflow_lost"}',
      finished_at = now() - interval '31 days' where id = ${given.id}`;
  await sql`update messages set status = 'queued', sender = null, provider_id = null where run_id = ${given.id} and line > 4`;
  await sql`delete from run_counts where run_id = ${given.id}`;
  await sql.begin((tx) => reconcileCounts(tx, given.id));
  const eventsBefore = await sql`select from inbound_events`;

  const sweep = async (days: number | null): Promise<void> => {
    const retention = {
      messageDays: days,
      replyDays: days,
      ticketDays: days,
      ticketPostDays: days,
      inboundEventDays: days,
      mailingFileDays: days,
      auditDays: days,
    };
    await savePrivacySettings(sql, privacySettings.parse(retention));
    const handle = await client.workflow.start(housekeeping, {
      workflowId: `retention-${taskQueue}`,
      taskQueue,
      args: [{ secondLookMs: 100 }],
    });
    await handle.result();
  };

  await sweep(null);
  expect(await sql`select from messages where text is null`).toHaveLength(0);

  await sweep(30);
  const kept = await sql<{ runId: number; n: number }[]>`
    select run_id, count(phone)::int as n from messages where run_id in (${old.id}, ${recent.id}) group by 1 order by 1`;
  expect(kept.map(({ n }) => n)).toEqual([0, 3]);
  expect(await sql`select from messages where run_id = ${old.id} and status = 'sent'`).toHaveLength(7);
  expect(await readRun(sql, given.id)).toMatchObject({ status: 'cancelled', reason: { code: 'expired' } });
  expect(await sql`select from messages where run_id = ${given.id} and phone is not null`).toHaveLength(0);
  expect(await expectCountsToMatchRows(sql, given.id)).toMatchObject({ cancelled: 2, sent: 3 });
  // Ten of the twenty: nine with 40 - n > 30, and one that is 30 days and some milliseconds old.
  expect(await sql`select from inbound_events`).toHaveLength(eventsBefore.length - 10);
  expect(await sql`select from inbound_messages where phone <> ''`).toHaveLength(1);
  expect(await sql`select from audit_log where action = 'old'`).toHaveLength(0);
  expect(await sql`select state from ticket_posts order by event_id`).toEqual([
    { state: 'failed' },
    { state: 'delivered' },
  ]);
  const files = await sql<{ id: number; chunks: number }[]>`
    select f.id, count(c.seq)::int as chunks from mailing_files as f left join mailing_file_chunks as c on c.file_id = f.id
    where f.campaign_id = ${campaign.id} group by f.id order by f.id`;
  expect(files.map(({ chunks }) => chunks)).toEqual([0, 1]);
});

test('incomplete uploads of a killed API are deleted after the longest possible upload, and nothing else is', async () => {
  const { id } = await createEnabledCampaign(system, { mailing: 4 });
  await sql`
    with f as (
      insert into mailing_files (campaign_id, origin, bytes, sha256, lines, bad_lines, uploaded_by, uploaded_at)
      select ${id}, origin, 0, '', 0, 0, 'user:1', now() - make_interval(hours => hours)
      from (values ('upload', 5), ('upload', 7), ('upload', 8), ('webservice', 7)) as v (origin, hours)
      returning id
    )
    insert into mailing_file_chunks (file_id, seq, bytes) select id, 0, 'x' from f`;
  await sql`update mailing_files set uploaded_at = now() - interval '7 hours' where completed_at is not null`;
  await sql`
    with i as (insert into customer_imports (alive_at) values (now() - interval '121 seconds') returning id)
    insert into customer_import_portions (import_id, seq, lines) select id, 0, '[{"name": "Ana"}]' from i`;

  await savePrivacySettings(sql, privacySettings.parse({}));
  const handle = await client.workflow.start(housekeeping, {
    workflowId: `uploads-${taskQueue}`,
    taskQueue,
    args: [{ secondLookMs: 100 }],
  });
  expect(await handle.result()).toContain('| brokenUploads | 3 |');
  const files = await sql`
    select origin, completed_at is null as open, extract(hour from now() - uploaded_at)::int as hours,
      (select count(*)::int from mailing_file_chunks where file_id = mailing_files.id) as chunks
    from mailing_files where campaign_id = ${id} order by id`;
  expect(files).toEqual([
    { origin: 'upload', open: false, hours: 7, chunks: 1 },
    { origin: 'upload', open: true, hours: 5, chunks: 1 },
    { origin: 'webservice', open: true, hours: 7, chunks: 1 },
  ]);
  expect(await sql`select from customer_import_portions`).toEqual([]);
});
