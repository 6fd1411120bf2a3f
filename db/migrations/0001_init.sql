-- Identifiers are bigint identities; states are words, the same as in domain/; instants are timestamptz.

-- People and programs -------------------------------------------------------------------------------------------

create table users (
  id            bigint generated always as identity primary key,
  login         text not null unique check (login = lower(login)),
  name          text not null,
  password_hash text not null,
  role          text not null check (role in ('admin', 'operator', 'viewer')),
  locale        text not null default 'pt-BR' check (locale in ('pt-BR', 'en')),
  timezone      text not null default 'America/Sao_Paulo',
  enabled       boolean not null default true,
  created_at    timestamptz not null default now()
);

-- The cookie holds a random 256-bit id; only its SHA-256 is kept, so a stolen backup opens no session.
create table sessions (
  id_hash      bytea primary key,
  user_id      bigint not null references users on delete cascade,
  created_at   timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at   timestamptz not null
);
create index on sessions (user_id);

create table api_tokens (
  id           bigint generated always as identity primary key,
  name         text not null,
  token_hash   bytea not null unique,
  role         text not null check (role in ('admin', 'operator', 'viewer')),
  created_by   bigint not null references users,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
create index on api_tokens (created_by);

-- Append-only, and without personal data: ids, names of settings, and which fields changed.
create table audit_log (
  id           bigint generated always as identity primary key,
  at           timestamptz not null default now(),
  actor        text not null,             -- 'user:7', 'token:3', 'system'
  actor_name   text not null,             -- kept: the user may be gone
  action       text not null,             -- 'campaign.enable'
  subject_kind text not null,
  subject_id   bigint,
  details      jsonb not null default '{}'
);
create index on audit_log (subject_kind, subject_id);

-- Settings: a name, and a definition whose shape is the zod schema of its noun in domain/ -----------------------

create table sending_hours (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null,
  archived_at timestamptz
);

create table holiday_calendars (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null,
  archived_at timestamptz
);

create table regions (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null default '{}',
  archived_at timestamptz
);

create table customer_types (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null default '{}',
  archived_at timestamptz
);

create table providers (
  id              bigint generated always as identity primary key,
  name            text not null unique,
  config          jsonb not null,
  secrets         text not null,          -- sealed by db/secrets.ts, bound to this row
  segment_profile text not null,
  rate_per_second numeric check (rate_per_second > 0), -- segments; null: no limit
  archived_at     timestamptz
);

-- The rate limit of a provider over all workers and campaigns (GCRA: one instant is its whole state). A row of its
-- own, because it is written several times a second.
create table provider_rates (
  provider_id    bigint primary key references providers on delete cascade,
  reserved_until timestamptz not null default '-infinity'
) with (fillfactor = 10);

-- Campaigns ------------------------------------------------------------------------------------------------------

-- One JSON document (domain/campaign.ts) is what the API takes, what is stored and what a run freezes. What other
-- rows are referred to by it stands in generated columns, so that the database guards the references.
create table campaigns (
  id                  bigint generated always as identity primary key,
  definition          jsonb not null,
  name                text not null unique generated always as (definition ->> 'name') stored,
  provider_id         bigint generated always as ((definition -> 'message' ->> 'providerId')::bigint) stored references providers,
  sending_hours_id    bigint generated always as ((definition -> 'mailing' ->> 'sendingHoursId')::bigint) stored references sending_hours,
  holiday_calendar_id bigint generated always as ((definition -> 'schedule' ->> 'holidayCalendarId')::bigint) stored references holiday_calendars,
  region_id           bigint generated always as ((definition -> 'mailing' ->> 'regionId')::bigint) stored references regions,
  customer_type_id    bigint generated always as ((definition -> 'mailing' ->> 'customerTypeId')::bigint) stored references customer_types,
  version             integer not null default 1,
  enabled             boolean not null default false,
  enabled_at          timestamptz,
  -- The last occurrence that was dealt with: run, late, skipped or missed. The next one is after it.
  scheduled_through   timestamptz,
  -- A changed schedule counts from the change on. What was due by those before it, each until it was changed, and is
  -- not dealt with yet is still owed: the campaign's workflow settles it and empties the list.
  schedule_since      timestamptz,
  previous_schedules  jsonb not null default '[]', -- [{"schedule": …, "until": instant}], oldest first
  mailing_file_id     bigint,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now()
);
create index on campaigns (provider_id);
create index on campaigns (sending_hours_id);
create index on campaigns (holiday_calendar_id);
create index on campaigns (region_id);
create index on campaigns (customer_type_id);

-- Files live in the database: a worker on any machine reads them, and a backup has them.
create table mailing_files (
  id          bigint generated always as identity primary key,
  campaign_id bigint not null references campaigns on delete cascade,
  bytes       bigint not null,
  sha256      bytea not null,
  lines       integer not null,
  bad_lines   integer not null,
  uploaded_by text not null,
  uploaded_at timestamptz not null default now()
);
create index on mailing_files (campaign_id);
alter table campaigns add foreign key (mailing_file_id) references mailing_files deferrable initially deferred;
create index on campaigns (mailing_file_id);

create table mailing_file_chunks (
  file_id bigint not null references mailing_files on delete cascade,
  seq     integer not null,
  bytes   bytea not null,
  primary key (file_id, seq)
);
-- Compressing a chunk costs more time than its pages do.
alter table mailing_file_chunks alter column bytes set storage external;

-- Runs -----------------------------------------------------------------------------------------------------------

create table runs (
  id              bigint generated always as identity primary key,
  campaign_id     bigint not null references campaigns,
  occurrence      timestamptz not null,   -- when it was due
  trigger         text not null check (trigger in ('schedule', 'manual')),
  status          text not null check (status in ('running', 'paused', 'cancelling', 'finished', 'skipped', 'missed', 'cancelled', 'failed')),
  step            text not null check (step in ('due', 'hours', 'pending_check', 'mailing', 'sending', 'done')),
  reason          jsonb,                  -- domain/run.ts: why it is paused, skipped, missed, cancelled or failed
  settings        jsonb not null,         -- domain/run.ts: the campaign as it was, frozen
  mailing_file_id bigint references mailing_files,
  provider_id     bigint references providers,
  expires_at      timestamptz,
  started_at      timestamptz,
  mailing_at      timestamptz,
  sending_at      timestamptz,
  finished_at     timestamptz,
  -- One run for each occurrence, whatever is retried.
  unique (campaign_id, occurrence)
);
create index on runs (mailing_file_id);
create index on runs (provider_id);
create index runs_live on runs (campaign_id) where status in ('running', 'paused', 'cancelling', 'failed');

-- One row for each line of the mailing, whatever becomes of it.
create table messages (
  id                  bigint generated always as identity primary key,
  run_id              bigint not null references runs,
  line                integer not null,
  status              text not null check (status in ('queued', 'sending', 'sent', 'delivered', 'undelivered', 'failed', 'skipped', 'unknown', 'cancelled')),
  reason              text,
  code                text,               -- the customer's
  name                text,
  phone               text,               -- E.164; null when the line has none that can be read
  text                text,
  segments            smallint not null default 0,
  extra               jsonb,              -- extra fields; for a line that can't be sent, what was wrong with it
  attempts            smallint not null default 0,
  not_before          timestamptz,        -- of a message that is to be tried again
  sender              text,               -- the activity that claimed it
  provider_id         bigint,
  provider_message_id text,
  provider_code       text,
  sending_at          timestamptz,
  sent_at             timestamptz,
  ended_at            timestamptz,
  unique (run_id, line)
) with (fillfactor = 50);
-- No index knows the status, and pages are half empty: the moves of a message rewrite no index (HOT updates), which
-- doubles the rate of sending. Who needs messages of a status reads a run in the order of its lines, and run_counts
-- say beforehand whether there are any.
create index messages_phone on messages (phone, id) where phone is not null;

-- The counts of a run are kept with each move of its messages, never found by scanning; what is being sent counts as
-- queued. Written several times a
-- second: mostly empty pages keep the updates on the page (HOT).
create table run_counts (
  run_id   bigint not null references runs on delete cascade,
  status   text not null,
  reason   text not null default '',
  messages integer not null,
  segments integer not null,
  primary key (run_id, status, reason)
) with (fillfactor = 20);

-- Inbound --------------------------------------------------------------------------------------------------------

-- What a provider called us with, verified, as it came: first of all written here, then applied.
create table inbound_events (
  id          bigint generated always as identity primary key,
  provider_id bigint not null references providers,
  event_key   text not null,
  kind        text not null check (kind in ('receipt', 'message', 'other')),
  message_id  bigint,
  payload     jsonb not null,
  received_at timestamptz not null default now(),
  unique (provider_id, event_key)
);
create index on inbound_events (message_id) where message_id is not null;

-- A phone that asked to be left alone, or that the provider says did. Nothing overrides it.
create table opt_outs (
  phone    text primary key,
  source   text not null check (source in ('reply', 'provider', 'admin')),
  at       timestamptz not null default now()
);

create table test_sends (
  id          bigint generated always as identity primary key,
  campaign_id bigint not null references campaigns on delete cascade,
  sent_by     text not null,
  sent_at     timestamptz not null default now(),
  outcome     jsonb not null
);
create index on test_sends (campaign_id);
