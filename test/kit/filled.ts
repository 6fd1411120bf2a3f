import { randomBytes } from 'node:crypto';
import { countForReports } from '../../activities/reports.ts';
import { hashSecret } from '../../api/http/auth.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import { insertIntegration } from '../../db/settings/integrations.ts';
import { insertProvider } from '../../db/providers/providers.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import { seedSettings } from '../../db/settings/seed.ts';
import { insertSession } from '../../db/access/sessions.ts';
import { insertUser } from '../../db/access/users.ts';
import { campaign, campaignDraft } from '../../domain/campaign.ts';
import type { PageSubjects } from './pages.ts';

/** The sandbox account whose virtual phones the console can show. */
export const sandboxAccount = {
  accountSid: `AC${'0123456789abcdef'.repeat(2)}`,
  authToken: 'the-token',
  from: '+5511999990000',
};

export interface Amounts {
  messages: number;
  /** The messages of the largest run. All other runs share the rest. */
  largestRun: number;
  runs: number;
  campaigns: number;
  customers: number;
  tickets: number;
  replies: number;
  /** Stored provider calls (receipts). */
  events: number;
  optOuts: number;
  auditEntries: number;
}

export interface Filled {
  /** One subject per noun for the addresses of its pages. The run is the largest one. */
  subjects: PageSubjects;
  /** The session cookie of an admin as `name=value`. */
  cookie: string;
}

const firstNames = ['Maria', 'João', 'Ana', 'José', 'Paulo', 'Rita'];

/** The tables that grow with use. */
export const bigTables = [
  'messages',
  'customers',
  'consents',
  'tickets',
  'ticket_events',
  'inbound_messages',
  'inbound_events',
  'opt_outs',
  'opt_out_events',
  'audit_log',
] as const;

/**
 * Fills an empty, migrated database like a deployment with years of use, with a few statements. Every 40th message is
 * skipped, every 50th failed, every 10,000th unknown, and one customer in six is a Maria.
 */
export async function fillDatabase(sql: Database, box: SecretBox, amounts: Amounts): Promise<Filled> {
  await seedSettings(sql, new Date());
  const cookie = await addAdmin(sql);
  return sql
    .begin(async (tx): Promise<Filled> => {
      // Skip foreign key checks: they would take longer than everything else.
      await tx`set local session_replication_role = replica`;
      await addSettings(tx, box);
      const settings = await firstOfEach(tx);
      await addCampaigns(tx, amounts, settings);
      await addMessages(tx, amounts);
      await addCustomers(tx, amounts);
      await addRepliesAndReceipts(tx, amounts);
      await addTickets(tx, amounts, settings);
      await addOptOutsAndAudit(tx, amounts);
      const [found] = await tx<
        [{ message: number; phone: string; run: number; campaign: number; ticket: number; reply: number }]
      >`
      select m.id as message, m.phone, m.run_id as run, r.campaign_id as campaign, t.id as ticket,
        (select min(id) from inbound_messages) as reply
      from runs as r join messages as m on m.run_id = r.id join tickets as t on t.message_id = m.id
      where m.phone is not null
      order by r.id, m.line limit 1`;
      return {
        cookie,
        subjects: {
          ...Object.fromEntries(
            Object.entries(settings).map(([table, id]) => [`/settings/${table.replaceAll('_', '-')}`, id]),
          ),
          '/campaigns': found.campaign,
          '/runs': found.run,
          '/messages': found.message,
          '/tickets': found.ticket,
          '/replies': found.reply,
          '/phones': found.phone,
          '/customers': 1,
          '/opt-outs': 1,
          '/settings/users': 1,
          '/settings/tokens': 1,
        },
      };
    })
    .then(async (filled) => {
      await countForReports(sql, { rebuild: false, timezone: 'America/Sao_Paulo', goesOn: () => true });
      return filled;
    })
    .finally(() => sql`vacuum analyze`);
}

async function addAdmin(sql: Database): Promise<string> {
  const { id: userId } = await insertUser(sql, {
    login: 'carla',
    name: 'Carla Imaginária',
    role: 'admin',
    passwordHash: '',
  });
  const session = randomBytes(32).toString('base64url');
  await insertSession(sql, { idHash: hashSecret(session), userId });
  await sql`
    insert into api_tokens (name, token_hash, role, created_by)
    select 'Programa ' || i, decode(md5(i::text), 'hex'), 'viewer', ${userId} from generate_series(1, 60) as i`;
  return `torpedo=${session}`;
}

const settingTables = [
  'sending_hours',
  'holiday_calendars',
  'regions',
  'customer_types',
  'departments',
  'assignees',
  'categories',
  'subcategories',
  'extra_field_groups',
  'resolutions',
  'quick_replies',
  'providers',
  'integrations',
] as const;
type Settings = Readonly<Record<(typeof settingTables)[number], number>>;

async function addSettings(tx: Sql, box: SecretBox): Promise<void> {
  for (const table of ['regions', 'customer_types', 'assignees'])
    await tx`insert into ${tx(table)} (name) select 'Nome ' || i from generate_series(1, 20) as i`;
  await tx`
    insert into quick_replies (name, definition) values ('Saudação', ${tx.json({ text: 'Olá, {primeiro_nome}!' })})`;
  await insertProvider(tx, box, {
    name: 'Sandbox',
    config: { kind: 'sandbox', accountSid: sandboxAccount.accountSid, from: sandboxAccount.from },
    secrets: { kind: 'sandbox', authToken: sandboxAccount.authToken },
    segmentProfile: 'gsm',
    ratePerSecond: 100,
  });
  await insertIntegration(tx, box, {
    name: 'CRM',
    config: { authentication: { kind: 'bearer' }, headers: [], origins: ['https://crm.example'] },
    secrets: { secret: 'a-secret', headers: {} },
  });
}

/** Returns the first entry of each kind. */
async function firstOfEach(tx: Sql): Promise<Settings> {
  const ids: Partial<Record<(typeof settingTables)[number], number>> = {};
  for (const table of settingTables) {
    const [row] = await tx<[{ id: number }]>`select min(id) as id from ${tx(table)}`;
    ids[table] = row.id;
  }
  return ids as Settings;
}

async function addCampaigns(tx: Sql, { campaigns, runs }: Amounts, settings: Settings): Promise<void> {
  const draft = campaignDraft.parse({
    name: 'Campanha',
    description: 'Lembrete a quem tem boleto em aberto.',
    schedule: {
      recurrence: { every: 'week', days: ['monday', 'wednesday', 'friday'] },
      startsAt: '2025-01-06T09:00',
      timezone: 'America/Sao_Paulo',
      holidayCalendarId: settings.holiday_calendars,
    },
    message: { template: 'Olá, {nome}! Seu boleto {codigo} vence amanhã.', providerId: settings.providers },
    mailing: {
      source: 'csv',
      sendingHoursId: settings.sending_hours,
      regionId: settings.regions,
      customerTypeId: settings.customer_types,
    },
    ticketPolicy: {
      when: 'on_reply',
      departmentId: settings.departments,
      assigneeId: settings.assignees,
      categoryId: settings.categories,
      subcategoryId: settings.subcategories,
    },
  });
  await tx`
    insert into campaigns (definition, enabled, enabled_at, next_at)
    select jsonb_set(${tx.json(draft)}::jsonb, '{name}', to_jsonb('Cobrança da filial ' || i)), i % 5 <> 0, now(),
      case when i % 5 <> 0 then now() + i * interval '1 hour' end
    from generate_series(1, ${campaigns}::int) as i`;
  const frozen = {
    campaign: campaign.parse(draft),
    segmentProfile: 'gsm',
  };
  // The ids of test databases do not start at 1.
  const [{ first }] = await tx<[{ first: number }]>`select min(id) as first from campaigns`;
  // The last three runs are running, and every 50th has failed.
  await tx`
    insert into runs (campaign_id, occurrence, trigger, status, step, reason, settings, provider_id, started_at,
      mailing_at, sending_at, finished_at)
    select ${first}::bigint + i % ${campaigns}::int, due, 'schedule', status, case status when 'finished' then 'done' else 'sending' end,
      case status when 'failed' then '{"code": "workflow_lost"}'::jsonb end, ${tx.json(frozen)}, ${settings.providers},
      due, due, due, case when status in ('finished', 'failed') then due + interval '1 hour' end
    from generate_series(1, ${runs}::int) as i,
      lateral (select now() - (${runs}::int - i) * interval '3 hours' as due,
        case when i > ${runs}::int - 3 then 'running' when i % 50 = 0 then 'failed' else 'finished' end as status) as made`;
}

async function addMessages(tx: Sql, { messages, largestRun, runs, customers }: Amounts): Promise<void> {
  const otherLines = Math.floor((messages - largestRun) / (runs - 1));
  await tx`
    insert into messages (run_id, line, status, reason, code, name, phone, text, segments, customer_id, attempts, provider_id,
      provider_message_id, sending_at, sent_at, ended_at)
    select run, line + 1, status,
      case status when 'skipped' then case when n % 3 = 0 then 'duplicate_phone' else 'phone_missing' end
        when 'failed' then case when n % 7 = 0 then 'carrier_filtered' else 'number_invalid' end
        when 'unknown' then 'no_answer' end,
      'C-' || customer, (${firstNames}::text[])[1 + customer % 6] || ' Fictícia ' || customer, case when status <> 'skipped' then phone end,
      'Ola, Maria! Seu boleto ' || n || ' vence amanha.', 1, customer, 1, 1, 'SM' || lpad(n::text, 32, '0'), now(), now(), now()
    from (
      select id as run, line, row_number() over (order by id, line) as n
      from runs, lateral generate_series(1, case when id = 1 then ${largestRun}::int else ${otherLines}::int end) as line
    ) as lines, lateral (
      select 1 + n % ${customers}::int as customer, '+55119' || lpad((n % ${customers}::int)::text, 8, '0') as phone,
        case when n % 10000 = 9999 then 'unknown' when n % 40 = 1 then 'skipped' when n % 50 = 2 then 'failed'
          when n % 20 = 3 then 'sent' else 'delivered' end as status
    ) as made`;
  await tx`
    insert into run_counts (run_id, status, reason, messages, segments)
    select run_id, status, coalesce(reason, ''), count(*), sum(segments) from messages group by 1, 2, 3 order by 1`;
  await tx`
    update runs set status = 'finished', step = 'done', finished_at = now() where id = 1`;
}

async function addCustomers(tx: Sql, { customers }: Amounts): Promise<void> {
  await tx`
    insert into customers (code, name, mobile, phone, region_id, customer_type_id, consent, consent_source, consent_at)
    select 'C-' || i, (${firstNames}::text[])[1 + i % 6] || ' Fictícia ' || i,
      '+55119' || lpad((i - 1)::text, 8, '0'), case when i % 3 = 0 then '+5511' || lpad(i::text, 8, '3') end, 1 + i % 20,
      1 + i % 20, case when i % 10 = 0 then 'refused' else 'granted' end, 'import', now()
    from generate_series(1, ${customers}::int) as i`;
  await tx`
    insert into consents (customer_id, consent, source, actor, at)
    select id, consent, 'import', 'user:1', now() from customers order by id`;
}

/** Adds replies with and without a message, and receipts, some of them twice for a message. */
async function addRepliesAndReceipts(tx: Sql, { replies, events, messages }: Amounts): Promise<void> {
  await tx`
    insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, received_at, handled_at, effect,
      message_id, campaign_id, run_id, customer_id)
    select 1, 'SMIN' || m.id, m.phone, '+5511999990000', 'Quero a segunda via', now(), now(),
      (array['ticket', 'none', 'opt_out', 'help'])[1 + m.id % 4], m.id, r.campaign_id, r.id, m.customer_id
    from messages as m join runs as r on r.id = m.run_id
    where m.id % greatest(1, ${messages}::int / ${replies}::int) = 0 and m.phone is not null order by m.id`;
  await tx`
    insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, handled_at, effect)
    select 1, 'SMNO' || i, '+55219' || lpad(i::text, 8, '0'), '+5511999990000', 'Quem é?', now(), 'none'
    from generate_series(1, 200) as i`;
  await tx`
    insert into inbound_events (provider_id, event_key, kind, message_id, payload)
    select 1, 'event-' || i, 'receipt', 1 + i % ${messages}::int, '{"MessageStatus": "delivered"}'
    from generate_series(1, ${events}::int) as i`;
}

async function addTickets(tx: Sql, { tickets, messages }: Amounts, settings: Settings): Promise<void> {
  await tx`
    insert into tickets (cause, campaign_id, run_id, message_id, customer_id, phone, name, code, extra, status,
      department_id, assignee_id, category_id, subcategory_id, resolution_id)
    select 'send', r.campaign_id, r.id, m.id, m.customer_id, m.phone, m.name, m.code, '{"valor": "12,50"}',
      case when m.id % 9 = 0 then 'open' else 'finished' end, ${settings.departments}::bigint + m.id % 5,
      ${settings.assignees}::bigint + m.id % 7, ${settings.categories}, ${settings.subcategories}, ${settings.resolutions}
    from messages as m join runs as r on r.id = m.run_id
    where m.id % greatest(1, ${messages}::int / ${tickets}::int) = 0 order by m.id`;
  await tx`
    insert into ticket_events (ticket_id, kind, actor) select id, 'opened', 'campaign:' || campaign_id from tickets order by id`;
}

async function addOptOutsAndAudit(tx: Sql, { optOuts, auditEntries, customers }: Amounts): Promise<void> {
  await tx`
    insert into opt_outs (phone, source) select '+55119' || lpad((i * 7 % ${customers}::int)::text, 8, '0'), 'reply'
    from generate_series(1, ${optOuts}::int) as i on conflict do nothing`;
  await tx`
    insert into opt_out_events (phone, kind, source, actor) select phone, 'opt_out', source, 'system' from opt_outs order by id`;
  await tx`
    insert into audit_log (actor, actor_name, action, subject_kind, subject_id, details)
    select 'user:1', 'Carla Imaginária', 'campaign.update', 'campaign', 1 + i % 500, '{"changed": ["message.template"]}'
    from generate_series(1, ${auditEntries}::int) as i`;
}
