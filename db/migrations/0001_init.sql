-- Identifiers are bigint identities; states are words, the same as in domain/; instants are timestamptz.

-- A secret, sealed by db/core/secrets.ts and bound to its column and row. That file lists all columns of this
-- type.
create domain sealed as text;

-- Users and tokens ------------------------------------------------------------------------------------------------

create table users (
  id            bigint generated always as identity primary key,
  login         text not null unique check (login = lower(login)),
  name          text not null,
  password_hash text not null,
  -- An admin, or the first start, set the password. Until the user chooses a new one, every other action is refused.
  must_change_password boolean not null default false,
  role          text not null check (role in ('admin', 'operator', 'agent', 'viewer')),
  locale        text not null default 'pt-BR' check (locale in ('pt-BR', 'en')),
  timezone      text not null default 'America/Sao_Paulo',
  sending_hours_id bigint,                -- the default for this user's new campaigns; references sending_hours, below
  email         text,                     -- null: no alerts by e-mail, no password reset
  alert_choices jsonb not null default '{}', -- domain/alert.ts: where they differ from the role's kinds of alerts
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

-- Single use; only the SHA-256 of the token in the mail is kept.
create table password_resets (
  token_hash bytea primary key,
  user_id    bigint not null references users on delete cascade,
  expires_at timestamptz not null
);
create index on password_resets (user_id);

create table api_tokens (
  id           bigint generated always as identity primary key,
  name         text not null,
  token_hash   bytea not null unique,
  role         text not null check (role in ('admin', 'operator', 'agent', 'viewer')),
  created_by   bigint not null references users,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
create index on api_tokens (created_by);

-- Append-only. Holds no personal data of contacts: ids, names of settings and of users, and the settings that changed.
create table audit_log (
  id           bigint generated always as identity primary key,
  at           timestamptz not null default now(),
  actor        text not null,             -- 'user:7', 'token:3', 'system'
  actor_name   text not null,             -- a copy: the user may be deleted
  action       text not null,             -- 'campaign.enable'
  subject_kind text not null,
  subject_id   bigint,
  subject_name text,                      -- a copy: of campaigns, providers, settings, users and tokens
  details      jsonb not null default '{}',
  changes      jsonb not null default '{}' -- domain/changes.ts: the values before and after, by field
);
create index on audit_log (subject_kind, subject_id, id);
create index on audit_log (actor, id);
create index on audit_log (at, id);

-- Settings: a name, and a definition whose shape is the zod schema of its noun in domain/ -----------------------

create table sending_hours (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null,
  archived_at timestamptz
);
-- A user's default does not count as a use of the entry: it does not block deletion.
alter table users add foreign key (sending_hours_id) references sending_hours on delete set null;

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

create table departments (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null default '{}',
  archived_at timestamptz
);

create table assignees (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null default '{}',
  archived_at timestamptz
);

create table resolutions (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null default '{}',
  archived_at timestamptz
);

create table quick_replies (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null,
  archived_at timestamptz
);

create table extra_field_groups (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null,
  archived_at timestamptz
);

create table categories (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  definition  jsonb not null default '{}',
  archived_at timestamptz
);

create table subcategories (
  id                   bigint generated always as identity primary key,
  name                 text not null unique,
  definition           jsonb not null,
  category_id          bigint not null generated always as ((definition ->> 'categoryId')::bigint) stored references categories,
  extra_field_group_id bigint generated always as ((definition ->> 'extraFieldGroupId')::bigint) stored references extra_field_groups,
  archived_at          timestamptz
);

-- When the first answer to a customer is due, by the target of the ticket's subcategory; null: it has none.
create function answer_due(subcategory bigint, wrote_at timestamptz) returns timestamptz language sql stable
  return wrote_at + make_interval(mins => (
    select (definition ->> 'firstAnswerMinutes')::int from subcategories where id = subcategory));
create index on subcategories (category_id);
create index on subcategories (extra_field_group_id);

create table integrations (
  id          bigint generated always as identity primary key,
  name        text not null unique,
  config      jsonb not null,             -- domain/integration.ts
  secrets     sealed not null,
  archived_at timestamptz
);

create table providers (
  id              bigint generated always as identity primary key,
  name            text not null unique,
  config          jsonb not null,
  secrets         sealed not null,
  segment_profile text not null,
  rate_per_second numeric check (rate_per_second > 0), -- segments; null: no limit
  max_in_flight   int not null check (max_in_flight between 1 and 5000), -- concurrent sends, over all workers
  reference       text not null default left(gen_random_uuid()::text, 8), -- sms/reference.ts; never changed
  sandbox         boolean not null generated always as (config ->> 'kind' = 'sandbox') stored,
  fallback_id     bigint references providers check (fallback_id <> id), -- takes over: db/providers/fallbacks.ts
  archived_at     timestamptz
);
create index on providers (fallback_id);

-- The calling code of a phone in E.164, without + (domain/phone.ts, `callingCodeOf`).
create function calling_code(phone text) returns text language sql immutable parallel safe
  return case when starts_with(phone, '+55') then '55' else
    substring(phone from '^\+(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|(?:2[1-689]|3[578]|42|5[09]|6[7-9]|8[035789]|9[679])\d)') end;

-- The price of a segment (domain/price.ts), from a day of the deployment's time zone on.
create table prices (
  provider_id bigint not null references providers on delete cascade,
  prefix      text not null check (prefix ~ '^[1-9]?[0-9]{0,2}$'), -- a country's calling code; '': all others
  first_day   date not null,
  millionths  bigint not null check (millionths >= 0), -- of the deployment's currency
  primary key (provider_id, prefix, first_day)
);

-- The price in millionths of a segment to a country on a day; null: none (domain/price.ts, `choosePrice`).
create function segment_price(provider bigint, country text, day date) returns bigint language sql stable parallel safe
  return (
    select millionths from prices
    where provider_id = provider and prefix in (country, '') and first_day <= day
    order by prefix desc, first_day desc limit 1
  );

-- The rate limit of a provider over all workers and campaigns (GCRA: one instant is its whole state), and the reasons
-- that hold back its messages (domain/provider-trouble.ts). A separate table, because rows change several times a
-- second.
create table provider_rates (
  provider_id    bigint primary key references providers on delete cascade,
  reserved_until timestamptz not null default '-infinity',
  answers_until  timestamptz not null default '-infinity', -- the same for answers, which do not wait for campaigns
  held_until     timestamptz, -- until when it asked for a pause
  held_code      text,
  doubts         int not null default 0, -- consecutive answers with an unknown outcome
  probes         int not null default 0, -- messages sent as probes since then
  doubted_at     timestamptz, -- null: a probe may leave at once
  doubt_code     text,
  suspects       bigint[] not null default '{}' -- messages with an account error since the provider last accepted one
) with (fillfactor = 10);

-- The worker processes that send through a provider now. They share its max_in_flight (db/providers/lanes.ts).
create table provider_lanes (
  provider_id bigint not null references providers on delete cascade,
  worker      text not null,
  senders     int not null,
  expires_at  timestamptz not null,
  primary key (provider_id, worker)
) with (fillfactor = 20);

-- Campaigns ------------------------------------------------------------------------------------------------------

-- One JSON document (domain/campaign.ts) is the API's input, the stored row and what a run freezes. The ids that it
-- refers to are also generated columns, so that foreign keys protect them.
create table campaigns (
  id                  bigint generated always as identity primary key,
  definition          jsonb not null,
  name                text not null unique generated always as (definition ->> 'name') stored,
  provider_id         bigint generated always as ((definition -> 'message' ->> 'providerId')::bigint) stored references providers,
  sending_hours_id    bigint generated always as ((definition -> 'mailing' ->> 'sendingHoursId')::bigint) stored references sending_hours,
  holiday_calendar_id bigint generated always as ((definition -> 'schedule' ->> 'holidayCalendarId')::bigint) stored references holiday_calendars,
  region_id           bigint generated always as ((definition -> 'mailing' ->> 'regionId')::bigint) stored references regions,
  customer_type_id    bigint generated always as ((definition -> 'mailing' ->> 'customerTypeId')::bigint) stored references customer_types,
  integration_id      bigint generated always as ((definition -> 'mailing' -> 'webservice' ->> 'integrationId')::bigint) stored references integrations,
  department_id       bigint generated always as ((definition -> 'ticketPolicy' ->> 'departmentId')::bigint) stored references departments,
  assignee_id         bigint generated always as ((definition -> 'ticketPolicy' ->> 'assigneeId')::bigint) stored references assignees,
  category_id         bigint generated always as ((definition -> 'ticketPolicy' ->> 'categoryId')::bigint) stored references categories,
  subcategory_id      bigint generated always as ((definition -> 'ticketPolicy' ->> 'subcategoryId')::bigint) stored references subcategories,
  resolution_id       bigint generated always as ((definition -> 'ticketPolicy' ->> 'resolutionId')::bigint) stored references resolutions,
  resolution_on_success_id bigint generated always as ((definition -> 'ticketPolicy' ->> 'resolutionOnSuccessId')::bigint) stored references resolutions,
  resolution_on_failure_id bigint generated always as ((definition -> 'ticketPolicy' ->> 'resolutionOnFailureId')::bigint) stored references resolutions,
  monthly_budget      bigint generated always as (((definition #>> '{safeguards,monthlyBudget}')::numeric * 1000000)::bigint) stored, -- in millionths
  version             integer not null default 1,
  enabled             boolean not null default false,
  enabled_at          timestamptz,
  first_enabled_at    timestamptz,            -- null: it has never been enabled, so it is a draft
  archived_at         timestamptz,            -- out of the lists; never of an enabled campaign
  -- The last occurrence that was processed: run, late, skipped or missed. The next one is later.
  scheduled_through   timestamptz,
  -- A changed schedule applies from the time of the change. Occurrences of the previous schedules, each up to the time
  -- it was replaced, may still be unprocessed: the campaign's workflow processes them and empties the list.
  schedule_since      timestamptz,
  previous_schedules  jsonb not null default '[]', -- [{"schedule": …, "until": instant}], oldest first
  -- When its workflow starts the next run, as last planned; null: never, or not planned yet.
  next_at             timestamptz,
  mailing_file_id     bigint,
  -- The attributes of the records at the last test of the web service's address: {"baseUrl", "recordsPath",
  -- "attributes"}.
  answer_attributes   jsonb,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  check (archived_at is null or not enabled)
);
create index on campaigns (next_at) where next_at is not null;
create index on campaigns (id) where monthly_budget is not null;
create index on campaigns (provider_id);
create index on campaigns (sending_hours_id);
create index on campaigns (holiday_calendar_id);
create index on campaigns (region_id);
create index on campaigns (customer_type_id);
create index on campaigns (integration_id);
create index on campaigns (department_id);
create index on campaigns (assignee_id);
create index on campaigns (category_id);
create index on campaigns (subcategory_id);
create index on campaigns (resolution_id);
create index on campaigns (resolution_on_success_id);
create index on campaigns (resolution_on_failure_id);

-- Files are stored in the database, so that a worker on any machine can read them and a backup contains them. An upload
-- is a campaign's CSV file. The answer that a run fetched from a web service is kept unchanged, page after page, for
-- RAW_ANSWER_DAYS.
create table mailing_files (
  id          bigint generated always as identity primary key,
  campaign_id bigint not null references campaigns on delete cascade,
  origin      text not null check (origin in ('upload', 'webservice')),
  bytes       bigint not null,
  sha256      bytea not null,
  lines       integer not null,
  bad_lines   integer not null,           -- of an upload
  name        text,                       -- of an upload: the file's name, if known
  extra_fields jsonb,                     -- of an upload: the names of its columns beyond the layout
  pages       jsonb,                      -- of a complete answer: db/campaigns/mailings.ts, where each page begins
  uploaded_by text not null,
  uploaded_at timestamptz not null default now(),
  -- Null: the upload or the write is in progress or was interrupted. No campaign refers to such an upload.
  completed_at timestamptz
);
create index on mailing_files (campaign_id);
create index on mailing_files (uploaded_at) where completed_at is null;
create index on mailing_files (uploaded_at) where origin = 'webservice';
alter table campaigns add foreign key (mailing_file_id) references mailing_files deferrable initially deferred;
create index on campaigns (mailing_file_id);

create table mailing_file_chunks (
  file_id bigint not null references mailing_files on delete cascade,
  seq     integer not null,
  bytes   bytea not null,
  primary key (file_id, seq)
);
-- Compressing a chunk takes longer than writing its pages.
alter table mailing_file_chunks alter column bytes set storage external;

-- Customers ------------------------------------------------------------------------------------------------------

-- The words of a text for search: without accents, in lower case, only letters and digits.
create function search_words(value text) returns text[] language sql immutable parallel safe
  return string_to_array(trim(regexp_replace(
    lower(translate(normalize(value, nfc),
      'ÁÀÂÃÄÅÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÇÑÝáàâãäåéèêëíìîïóòôõöúùûüçñýÿ',
      'AAAAAAEEEEIIIIOOOOOUUUUCNYaaaaaaeeeeiiiiooooouuuucnyy')),
    '[^[:alnum:]]+', ' ', 'g')), ' ');

-- A text for search and sorting in lists: without case, accents and punctuation.
create function folded(value text) returns text language sql immutable parallel safe
  return array_to_string(search_words(value), ' ');

-- A customer, across campaigns. Matched by code, else by phone (E.164, any of the three).
--
-- Rows are never deleted, only emptied. Messages refer to them without a foreign key: its check would cost as
-- much as half the import of a run with a million messages, and lock a million rows here.
create table customers (
  id               bigint generated always as identity primary key,
  code             text unique,
  name             text not null default '',
  name_folded      text collate "C" not null generated always as (folded(name)) stored,
  name_words       tsvector not null generated always as (array_to_tsvector(search_words(name))) stored,
  mobile           text,                  -- E.164, like the others; null: not known
  phone            text,
  phone2           text,
  birth_date       date,
  region_id        bigint references regions,
  customer_type_id bigint references customer_types,
  -- The latest statement of `consents`.
  consent          text not null default 'not_stated' check (consent in ('granted', 'refused', 'not_stated')),
  consent_source   text,
  consent_at       timestamptz,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  erased_at        timestamptz
);
create index on customers (mobile);
create index on customers (phone);
create index on customers (phone2);
create index on customers (name_folded, id) where erased_at is null;
create index on customers using gin (name_words);
create index on customers (region_id);
create index on customers (customer_type_id);

-- Every statement of consent that was ever recorded.
create table consents (
  id          bigint generated always as identity primary key,
  customer_id bigint not null references customers,
  consent     text not null check (consent in ('granted', 'refused', 'not_stated')),
  source      text not null check (source in ('api', 'import', 'webservice', 'reply', 'admin')),
  note        text not null default '',
  actor       text not null,              -- 'user:7', 'token:3', 'system'
  sandbox     boolean not null default false, -- stated by a virtual phone: does not change the customer's consent
  at          timestamptz not null,       -- when the customer stated it
  recorded_at timestamptz not null default now()
);
create index on consents (customer_id, id);

-- The customer file being imported: one row, or none. Its lines wait here until the whole file has been read, so that a
-- slow upload does not keep a transaction open (db/customers/import.ts).
create table customer_imports (
  id       bigint generated always as identity primary key,
  only_row boolean not null default true unique check (only_row),
  alive_at timestamptz not null default now() -- an import without a heartbeat for minutes is abandoned
);
-- Unlogged: the lines are needed for minutes, and are not in backups or the WAL archive. A crash of PostgreSQL empties
-- the table, and the import fails.
create unlogged table customer_import_portions (
  import_id bigint not null references customer_imports on delete cascade,
  seq       integer not null,
  lines     json not null,                -- of domain/customer-file.ts
  primary key (import_id, seq)
);
alter table customer_import_portions alter column lines set storage external;

-- Runs -----------------------------------------------------------------------------------------------------------

create table runs (
  id              bigint generated always as identity primary key,
  campaign_id     bigint not null references campaigns,
  occurrence      timestamptz not null,   -- when it was due
  trigger         text not null check (trigger in ('schedule', 'manual', 'dry_run', 'resend')),
  request_key     text,                   -- of the request that opened it; null: opened by the schedule
  status          text not null check (status in ('running', 'paused', 'cancelling', 'finished', 'skipped', 'missed', 'cancelled', 'failed')),
  step            text not null check (step in ('due', 'hours', 'pending_check', 'mailing', 'preflight', 'approval', 'sending', 'tickets', 'done')),
  reason          jsonb,                  -- domain/run.ts: why it is paused, skipped, missed, cancelled or failed
  settings        jsonb not null,         -- domain/run.ts: the campaign as it was when the mailing was read, frozen
  -- These apply to its messages too: all messages of a run have the same region and customer type.
  region_id       bigint generated always as ((settings -> 'campaign' -> 'mailing' ->> 'regionId')::bigint) stored references regions,
  customer_type_id bigint generated always as ((settings -> 'campaign' -> 'mailing' ->> 'customerTypeId')::bigint) stored references customer_types,
  -- Never frozen: the run reads the current values at every check.
  sending_hours_id bigint generated always as ((settings -> 'campaign' -> 'mailing' ->> 'sendingHoursId')::bigint) stored references sending_hours,
  holiday_calendar_id bigint generated always as ((settings -> 'campaign' -> 'schedule' ->> 'holidayCalendarId')::bigint) stored references holiday_calendars,
  mailing_file_id bigint references mailing_files, -- the file it reads, or the answer it fetched
  fetched_at      timestamptz,            -- when it began to fetch that answer
  resend_of       bigint references runs, -- the run whose messages this one sends again
  resend_scope    jsonb,                  -- db/runs/resends.ts: which of them
  provider_id     bigint references providers, -- its current provider: the campaign's, or the fallback after a failover
  failovers       jsonb not null default '[]', -- domain/failover.ts: its failovers to other providers
  expires_at      timestamptz,
  started_at      timestamptz,
  mailing_at      timestamptz,
  warnings        jsonb,                  -- domain/warnings.ts: counts of values that could not be read
  preflight       jsonb,                  -- domain/preflight.ts
  approved_at     timestamptz,            -- of a run that needs approval
  approved_by     text,                   -- 'user:7', 'token:3'
  beyond_budget_at timestamptz,           -- when a user let it exceed the budget
  canary_left_at  timestamptz,            -- when all messages of the canary had left
  canary_over_at  timestamptz,            -- when the remaining messages were released
  measured_from   jsonb,                  -- domain/safeguards.ts: counts when the stopped run was resumed
  sending_at      timestamptz,
  sender_wanted_at timestamptz,           -- when it began to wait for a free sender; null: it does not wait
  -- When the attempt that last changed its status was scheduled (ms): older attempts cannot change it.
  moved_attempt_at bigint not null default 0,
  finished_at     timestamptz,
  seen_at         timestamptz,            -- when a user took note that it did not execute
  restored_at     timestamptz,            -- of a run stopped by a restore: its queued messages may have left
  purged_at       timestamptz,            -- when retention deleted the personal data of its messages
  -- One run for each occurrence, even after retries.
  unique (campaign_id, occurrence),
  -- One run for each request.
  unique (campaign_id, request_key)
);
create index on runs (mailing_file_id);
create index on runs (provider_id);
create index on runs (region_id, id);
create index on runs (customer_type_id, id);
create index on runs (sending_hours_id);
create index on runs (holiday_calendar_id);
create index on runs (resend_of) where resend_of is not null;
-- Covers the home page's query on the runs of the last days.
create index on runs (occurrence) include (id, trigger);
create index runs_live on runs (campaign_id) where status in ('running', 'paused', 'cancelling', 'failed');

-- One row for each line of the mailing, with any outcome.
create table messages (
  id                  bigint generated always as identity primary key,
  run_id              bigint not null references runs,
  line                integer not null,
  status              text not null check (status in ('queued', 'sending', 'sent', 'delivered', 'undelivered', 'failed', 'skipped', 'unknown', 'cancelled')),
  reason              text,
  code                text,               -- the customer's
  name                text,
  phone               text,               -- E.164; null when the line has no readable phone
  text                text,
  segments            smallint not null default 0,
  customer_id         bigint,             -- no foreign key: see customers
  extra               jsonb,              -- extra fields; for a line without a usable phone, also its phones as written
  extra_phones        text[],             -- the numbers in extra, E.164, for finding a person's lines; null: none
  fault               jsonb,              -- of a skipped line: the problem, a code of the catalog (domain/line.ts)
  warnings            jsonb,              -- values that could not be read, quoted (domain/contact.ts); null: none
  resend_of           bigint references messages on delete set null, -- the first message of which this is a resend
  attempts            smallint not null default 0,
  not_before          timestamptz,        -- earliest time of the next attempt
  sender              text,               -- the activity that sent it; null: no outcome recorded yet
  provider_id         bigint,             -- which took, refused or may have taken it; no foreign key: too costly
  provider_message_id text,
  provider_code       text,
  sending_at          timestamptz,
  sent_at             timestamptz,
  ended_at            timestamptz,
  unique (run_id, line)
) with (fillfactor = 40);
-- No index contains the status, and pages are more than half empty, because a sent message is longer by half. Status
-- updates therefore rewrite no index (HOT updates), which doubles the sending rate. To find messages by status, read a
-- run in line order; run_counts show in advance whether there are any. The exception is the few updates that set a
-- reason: skipped and failed messages must be found in runs of any size.
create index messages_with_reason on messages (run_id, line) where reason is not null;
create index messages_with_warnings on messages (run_id, line) where warnings is not null;
create index on messages (resend_of) where resend_of is not null;
create index messages_phone on messages (phone, id) where phone is not null;
-- For requests to export or erase a person's data (db/customers/people.ts).
create index messages_code on messages (code, id) where code is not null;
create index messages_extra_phones on messages using gin (extra_phones) where extra_phones is not null;
create index on messages (customer_id, id) where customer_id is not null;

-- The counts of a run change with every status change of its messages; they are never computed by a scan. Messages
-- being sent count as queued. Updated several times a second: mostly empty pages keep the updates HOT.
create table run_counts (
  run_id   bigint not null references runs on delete cascade,
  status   text not null,
  reason   text not null default '',
  messages integer not null,
  segments integer not null,
  primary key (run_id, status, reason)
) with (fillfactor = 20);

-- What providers took of a run (sent, delivered, undelivered) by day of the deployment's time zone, and its cost at the
-- prices of that day (db/money/costs.ts). Kept from the counts: the sum of a run's segments equals them.
create table run_costs (
  run_id      bigint not null references runs on delete cascade,
  provider_id bigint not null,            -- no foreign key: of its run
  day         date not null,
  campaign_id bigint not null,            -- of its run
  segments    integer not null,           -- negative: a receipt of a later day took them back
  millionths  bigint not null,            -- of the segments that have a price
  unpriced    integer not null,           -- the segments that have none
  primary key (run_id, provider_id, day)
) with (fillfactor = 20);
create index on run_costs (day);
create index on run_costs (campaign_id, day);
create index on run_costs (provider_id, day);

-- The same of SMS that belong to no run: answers to customers, and test messages (db/money/single-costs.ts). Sums, to
-- which each SMS is added once.
create table single_costs (
  kind        text not null check (kind in ('answer', 'test')),
  provider_id bigint not null,            -- no foreign key: one that only tests have used can be deleted
  day         date not null,
  country     text not null,              -- a calling code; '': not known
  segments    integer not null,
  millionths  bigint not null,            -- of the segments that have a price
  unpriced    integer not null,           -- the segments that have none
  primary key (kind, provider_id, day, country)
);
create index on single_costs (day);

-- What the deployment may spend in a month: one row, or none.
create table deployment_budget (
  only_row boolean primary key default true check (only_row),
  monthly  bigint                         -- in millionths of the currency; null: no limit
);

-- The progress of a run over time: a sample each second at first, then less often the longer it takes
-- (db/runs/samples.ts), so that a day has about 1,500.
create table run_samples (
  run_id   bigint not null references runs on delete cascade,
  at       timestamptz not null,
  messages integer not null,              -- handed to the provider, with any outcome
  failed   integer not null,              -- of these, failed or undelivered
  primary key (run_id, at)
);

-- Messages claimed by senders (db/messages/claims.ts). A claim is committed before the first message of its batch may
-- leave, and deleted with the outcome of the last. Until then its queued messages may or may not have left.
create table claims (
  id          bigint generated always as identity primary key,
  run_id      bigint not null references runs on delete cascade,
  sender      text not null,              -- the activity, with its attempt
  message_ids bigint[] not null,
  claimed_at  timestamptz not null default now()
);
create index on claims (run_id);

-- The senders that may hand messages of a run to a provider now (db/messages/leases.ts). A killed sender leaves its
-- row.
create table sender_leases (
  sender     text primary key,            -- the activity, with its attempt
  run_id     bigint not null references runs on delete cascade,
  expires_at timestamptz not null,
  revoked    boolean not null default false -- no longer renewed: another attempt takes over, or the run ends
) with (fillfactor = 20);
create index on sender_leases (run_id);

-- When unknown messages are looked up at their provider, and the result (db/messages/unknown.ts).
create table look_ups (
  message_id  bigint primary key,         -- of a message, or of an answer
  run_id      bigint references runs on delete cascade, -- null: an answer
  provider_id bigint not null,
  due_at      timestamptz,                -- null: not looked up any more
  looks       integer not null default 0,
  result      text check (result in ('not_found', 'ambiguous', 'unavailable', 'not_offered')),
  looked_at   timestamptz
);
create index on look_ups (run_id);
create index on look_ups (due_at) where due_at is not null;

-- The last line of a run that was handed out to a sender.
create table send_cursors (
  run_id bigint primary key references runs on delete cascade,
  line   integer not null
) with (fillfactor = 10);

-- Activities that failed and will be retried: written by the failed attempt, deleted by the successful one
-- (activities/retries.ts). Lists read them here instead of asking Temporal. No foreign key: its check would wait for
-- transactions that hold the row of the run.
create table retries (
  workflow_id   text not null,            -- domain/ids.ts
  activity_id   text not null,            -- within that workflow
  activity      text not null,            -- 'importMailing'
  since         timestamptz not null default clock_timestamp(), -- the first failure
  attempt       integer not null,         -- the last attempt that failed
  cause         jsonb not null,           -- domain/problems/retries.ts
  failed_at     timestamptz not null default clock_timestamp(),
  next_at       timestamptz not null,
  trying_since  timestamptz,              -- null: the next attempt has not started
  gives_up_at   timestamptz,              -- null: no time limit
  attempts_left integer,                  -- null: no limit on attempts
  primary key (workflow_id, activity_id)
);

-- Inbound --------------------------------------------------------------------------------------------------------

-- Verified provider callbacks, stored unchanged before they are processed. Also look-up answers of a provider, and user
-- statements that replace them. The id has no index: no query uses it, and each index is a tenth of the cost of a
-- receipt.
create table inbound_events (
  id          bigint generated always as identity,
  provider_id bigint not null,            -- of providers; no foreign key, to save its check for each event
  event_key   text not null,
  kind        text not null check (kind in ('receipt', 'message', 'other', 'look_up', 'resolved')),
  message_id  bigint,
  payload     jsonb not null,
  -- domain/problems/callbacks.ts: why it could not be read, until it is read or a user dismisses it.
  unread      jsonb,
  received_at timestamptz not null default now(),
  primary key (provider_id, event_key)
);
create index inbound_events_unread on inbound_events (provider_id, id) where unread is not null;
create index on inbound_events (message_id) where message_id is not null;
-- For recent events. It adds almost nothing to the cost of an insert.
create index on inbound_events using brin (received_at) with (autosummarize = on);

-- Maps a gateway's own id to a message: only for gateways whose receipts may carry no other id (sms/provider.ts,
-- `receiptsById`). A separate table, because an index on messages would end their HOT updates.
create table provider_message_ids (
  provider_id         bigint not null,
  provider_message_id text not null,
  message_id          bigint,             -- null: of a test send, which belongs to no run
  sent_at             timestamptz not null default now(),
  primary key (provider_id, provider_message_id)
);
-- For deletion by age (db/core/retention.ts).
create index on provider_message_ids using brin (sent_at) with (autosummarize = on);

-- Replies: one row for each message, even if the provider repeats it.
create table inbound_messages (
  id                  bigint generated always as identity primary key,
  provider_id         bigint not null references providers,
  provider_message_id text not null,
  fingerprint         integer not null default 0, -- of sender and text: distinguishes replies with the same id
  phone               text not null,      -- the sender, in E.164 if it can be parsed
  recipient           text not null,      -- our number, short code or name that received it
  text                text not null,
  -- By the reply words at the time of receipt.
  intent                text check (intent in ('opt_out', 'probable_opt_out', 'opt_in', 'help')),
  received_at         timestamptz not null default now(),
  handled_at          timestamptz,        -- when the workflow `reply/<id>` handled it; null: not yet
  effect              text check (effect in ('none', 'ticket', 'opt_out', 'probable_opt_out', 'opt_in', 'help')),
  message_id          bigint references messages, -- the newest message that we had sent to that phone; null: none
  campaign_id         bigint references campaigns,
  run_id              bigint references runs,
  customer_id         bigint references customers,
  unique (provider_id, provider_message_id, fingerprint)
);
create index on inbound_messages (phone, id);
create index on inbound_messages (message_id, id) where message_id is not null;
create index on inbound_messages (campaign_id, id) where campaign_id is not null;
create index on inbound_messages (run_id, id) where run_id is not null;
-- Queried each second while a run is sending.
create index on inbound_messages (run_id) where effect in ('opt_out', 'probable_opt_out');
create index on inbound_messages (effect, id) where effect is not null;
create index inbound_messages_unmatched on inbound_messages (id) where message_id is null;
create index inbound_messages_of_no_run on inbound_messages (received_at) where run_id is null; -- for reports
create index inbound_messages_kept on inbound_messages (id) where phone <> ''; -- not purged yet (db/core/retention.ts)
create index inbound_messages_unhandled on inbound_messages (id) where handled_at is null;
create index on inbound_messages (customer_id) where customer_id is not null;

-- Tickets --------------------------------------------------------------------------------------------------------

create table tickets (
  id                 bigint generated always as identity primary key,
  cause              text not null check (cause in ('reply', 'send')),
  campaign_id        bigint not null references campaigns,
  run_id             bigint not null references runs,
  message_id         bigint not null references messages,
  inbound_message_id bigint references inbound_messages, -- the reply that opened it
  customer_id        bigint references customers,
  phone              text,                -- E.164; null once erased
  name               text,
  code               text,
  search             tsvector not null generated always as
    (array_to_tsvector(search_words(coalesce(name, '') || ' ' || coalesce(code, '')))) stored,
  extra              jsonb not null default '{}',
  status             text not null check (status in ('open', 'in_progress', 'waiting', 'finished')),
  channel            text not null default 'sms' check (channel in ('sms')),
  department_id      bigint not null references departments,
  assignee_id        bigint not null references assignees,
  category_id        bigint not null references categories,
  subcategory_id     bigint not null references subcategories,
  resolution_id      bigint references resolutions,
  user_id            bigint references users, -- the user who works on it
  version            integer not null default 1,
  opened_at          timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  finished_at        timestamptz,
  customer_wrote_at  timestamptz,         -- the last reply; null: none
  answered_at        timestamptz,         -- a user's last answer by SMS; null: none
  customer_first_wrote_at timestamptz,
  first_answered_at  timestamptz,
  answer_due_at      timestamptz,         -- when the first answer was due; null: no target, or nobody wrote
  -- The customer wrote after the last answer, and after the last finish by a user. A ticket that opens as finished on
  -- send was finished by no user.
  unanswered         boolean not null generated always as (
    customer_wrote_at is not null and customer_wrote_at > coalesce(
      greatest(answered_at, case when cause = 'reply' or finished_at > opened_at then finished_at end),
      '-infinity')) stored,
  check (status <> 'finished' or resolution_id is not null),
  check ((cause = 'reply') = (inbound_message_id is not null))
);
-- One ticket for each cause: the message itself, or one reply to it.
create unique index tickets_cause on tickets (message_id, coalesce(inbound_message_id, 0));
create unique index tickets_cause_reply on tickets (inbound_message_id) where inbound_message_id is not null;
-- A search reads each status separately (db/tickets/tickets.ts), so these indexes serve it with and without a status.
create index on tickets (status, id);
create index on tickets (campaign_id, status, id);
create index on tickets (run_id, status, id);
create index on tickets (department_id, status, id);
create index on tickets (assignee_id, status, id);
create index on tickets (category_id, status, id);
create index on tickets (phone, id) where phone is not null;
create index on tickets (customer_id, id) where customer_id is not null;
create index on tickets (user_id, status, id) where user_id is not null;
create index tickets_quiet on tickets (updated_at) where status = 'waiting'; -- finished by themselves
create index tickets_unanswered on tickets (customer_wrote_at, id) where unanswered;
create index tickets_overdue on tickets (answer_due_at, id) where unanswered and first_answered_at is null;
create index on tickets (subcategory_id);
create index on tickets (resolution_id) where resolution_id is not null;
create index on tickets using gin (search);
create index on tickets (first_answered_at) where first_answered_at is not null; -- db/reports/roll-up.ts
create index tickets_kept on tickets (finished_at) where phone is not null; -- not purged yet (db/core/retention.ts)

-- The history of a ticket, append-only: opening, changes, further replies, notes, and corrections by receipts.
create table ticket_events (
  id         bigint generated always as identity primary key,
  ticket_id  bigint not null references tickets on delete cascade,
  kind       text not null check (kind in ('opened', 'changed', 'reply', 'receipt', 'note', 'answer')),
  actor      text not null,               -- 'user:7', 'campaign:3', 'customer', 'receipt'
  actor_name text not null default '',    -- of a user; a copy: the user may be deleted
  changes    jsonb not null default '{}', -- {"status": ["open", "finished"]}; for free text, only that it changed
  inbound_message_id bigint references inbound_messages,
  answer_id  bigint,                      -- the SMS that answers the customer; its status is not an event
  note       text,                        -- of users for users; null once the customer was erased
  at         timestamptz not null default now(),
  check (kind = 'note' or note is null),
  check ((kind = 'answer') = (answer_id is not null))
);
create index on ticket_events (ticket_id, id);
create unique index ticket_events_answer on ticket_events (answer_id) where answer_id is not null;
-- A reply belongs to one ticket, once.
create unique index ticket_events_reply on ticket_events (inbound_message_id) where inbound_message_id is not null;

-- SMS that answer a customer: written by a user on a ticket, or an automatic text. The row is the intent to send.
create table answers (
  -- From the sequence of messages: a number in a reference or a receipt identifies one SMS, whatever its table.
  id                  bigint primary key default nextval('messages_id_seq'),
  kind                text not null check (kind in ('user', 'opt_out', 'help', 'keyword')),
  ticket_id           bigint references tickets, -- null: an automatic text without a ticket
  inbound_message_id  bigint references inbound_messages, -- the reply that caused an automatic text
  keyword             text,               -- that the reply contained, in the form in which words are compared
  request_key         text,               -- of the request that wrote it
  actor               text not null,      -- 'user:7', 'token:3', 'system'
  actor_name          text not null default '', -- of a user; a copy: the user may be deleted
  provider_id         bigint not null references providers, -- the one that the customer wrote to
  phone               text,               -- E.164; null once erased
  text                text,
  segments            smallint not null,
  status              text not null default 'queued' check (status in ('queued', 'sending', 'sent', 'delivered', 'undelivered', 'failed', 'unknown')),
  reason              text,               -- domain/answer.ts
  attempts            smallint not null default 0,
  perhaps_taken       boolean not null default false, -- at an earlier attempt
  sender              text,               -- the attempt that sends it, or has sent it
  provider_message_id text,
  provider_code       text,
  created_at          timestamptz not null default now(),
  sending_at          timestamptz,
  sent_at             timestamptz,
  ended_at            timestamptz,
  cost_day            date,               -- the day in single_costs; null: not counted there
  check (kind <> 'user' or ticket_id is not null),
  check ((kind = 'user') = (inbound_message_id is null)),
  check ((kind = 'keyword') = (keyword is not null)),
  -- One answer for each request, and one automatic text of each kind for each reply.
  unique (ticket_id, request_key),
  unique (inbound_message_id, kind)
) with (fillfactor = 70);
alter table ticket_events add foreign key (answer_id) references answers;
create index on answers (ticket_id, id) where ticket_id is not null;
create index on answers (phone, id) where phone is not null;
create index on answers (provider_id);
create index answers_passing on answers (id) where status in ('queued', 'sending');
create index answers_unknown on answers (id) where status = 'unknown';
-- Those to add to single_costs, or to take out of it: a failure after all.
create index answers_to_count on answers (id) where (status in ('sent', 'delivered', 'undelivered')) <> (cost_day is not null);
-- For the answers of the last day (db/core/metrics.ts). It adds almost nothing to the cost of an insert.
create index on answers using brin (created_at) with (autosummarize = on);
create index answers_kept on answers (id) where phone is not null; -- not purged yet (db/core/retention.ts)

-- The moves of tickets that no user makes (domain/ticket-automation.ts); without a row, the defaults apply.
create table ticket_automation (
  only_row             boolean primary key default true check (only_row),
  reopen_on_reply      boolean not null,
  wait_on_answer       boolean not null,
  finish_after_days    integer,           -- null: never
  finish_resolution_id bigint references resolutions,
  check (finish_after_days is null or finish_resolution_id is not null)
);

-- Where openings and changes of tickets are posted: one row, or none.
create table ticket_posting (
  id      smallint primary key default 1 check (id = 1),
  config  jsonb not null,                 -- domain/ticket-posting.ts
  secrets sealed not null                 -- the key of the signature, headers
);

-- The outbox: one row for each event to post, written with the event. The body is built from the event and the ticket
-- when it is sent, so the only personal data here is in the helpdesk's answer.
create table ticket_posts (
  event_id      bigint primary key references ticket_events on delete cascade,
  ticket_id     bigint not null references tickets on delete cascade,
  state         text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed')),
  attempts      integer not null default 0,
  not_before    timestamptz not null default now(),
  queued_at     timestamptz not null default now(), -- or when a user asked to post it again
  answer_status integer,                  -- HTTP; null: no answer
  answer        text,                     -- its beginning, or why there is none
  answered_at   timestamptz
);
create index on ticket_posts (ticket_id, event_id);
create index ticket_posts_waiting on ticket_posts (event_id) where state = 'waiting';
create index ticket_posts_delivered on ticket_posts (event_id) where state = 'delivered'; -- db/core/retention.ts
create index ticket_posts_failed on ticket_posts (event_id) where state = 'failed';

-- Alerts ---------------------------------------------------------------------------------------------------------

-- What needs a user, from when it was found until it was found to have ended (db/alerts/conditions.ts).
create table alerts (
  id       bigint generated always as identity primary key,
  kind     text not null,                 -- domain/alert.ts
  subject  text not null,                 -- identifies it within its kind: the id of a run or provider, or empty
  facts    jsonb not null,                -- domain/problems/alerts.ts: names of settings, codes and counts
  quiet    boolean not null,              -- a user caused it: not reported
  since    timestamptz not null default now(),
  ended_at timestamptz
);
create unique index alerts_open on alerts (kind, subject) where ended_at is null;
create index on alerts (kind, subject, id);
create index on alerts (ended_at) where ended_at is not null;

-- A message to a user by e-mail, or to the webhook. What it says is composed when it is sent. `dropped`: nothing was
-- left to say.
create table notifications (
  id         bigint generated always as identity primary key,
  purpose    text not null check (purpose in ('alerts', 'password_reset')),
  channel    text not null check (channel in ('email', 'webhook')),
  user_id    bigint references users on delete cascade,
  state      text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed', 'dropped')),
  attempts   integer not null default 0,
  problem    jsonb,                       -- domain/problems/delivery.ts: of the last attempt
  created_at timestamptz not null default now(),
  begun_at   timestamptz,                 -- the last attempt
  ended_at   timestamptz,
  check ((channel = 'webhook') = (user_id is null)),
  check ((state = 'waiting') = (ended_at is null))
);
-- What happens while a message to a recipient waits becomes part of it.
create unique index notifications_waiting on notifications (channel, coalesce(user_id, 0))
  where state = 'waiting' and purpose = 'alerts';
create index notifications_under_way on notifications (id) where state = 'waiting';
create index on notifications (ended_at) where ended_at is not null;
create index on notifications (user_id, created_at) where user_id is not null;

-- Which alerts a message that was delivered or given up has reported.
create table notification_alerts (
  notification_id bigint not null references notifications on delete cascade,
  alert_id        bigint not null references alerts on delete cascade,
  primary key (alert_id, notification_id)
);
create index on notification_alerts (notification_id);

-- The kinds of alerts that each role receives (domain/alert.ts); without a row, the defaults apply.
create table alert_settings (
  only_row   boolean primary key default true check (only_row),
  definition jsonb not null
);

-- The SMTP server: one row, or none.
create table email_settings (
  id      smallint primary key default 1 check (id = 1),
  config  jsonb not null,                 -- domain/email.ts
  secrets sealed not null                 -- the password
);

-- Where alerts are posted: one row, or none.
create table alert_webhook (
  id      smallint primary key default 1 check (id = 1),
  config  jsonb not null,                 -- domain/alert-webhook.ts
  secrets sealed not null                 -- the key of the signature, headers
);

-- The company's name and logo: one row, or none. The image is small (domain/company.ts).
create table company (
  id         smallint primary key default 1 check (id = 1),
  name       text not null default '',
  logo       bytea,
  logo_facts jsonb,                       -- type and size
  check ((logo is null) = (logo_facts is null)),
  check (length(logo) <= 256 * 1024)
);

-- Opt-outs -------------------------------------------------------------------------------------------------------

-- A phone that opted out, with us or according to the provider. Nothing overrides it. It survives the erasure of the
-- person as a keyed hash of the phone (db/core/phone-hash.ts).
--
-- Held: a probable opt-out that a user has to decide. Until then no message is sent either.
--
-- Refused: the phone of an erased customer who had refused consent. It has the effect of that refusal: campaigns that
-- ignore consent do not check it, and a later grant of consent by a customer with the phone replaces it.
--
-- Opt-outs by virtual phones are separate: they apply only to what the sandbox sends, and neither add nor remove the
-- opt-out of a real phone.
create table opt_outs (
  id         bigint generated always as identity primary key,
  phone      text,                        -- E.164; null once erased
  phone_hash bytea unique,
  state      text not null default 'opted_out' check (state in ('held', 'opted_out', 'refused')),
  source     text not null check (source in ('reply', 'provider', 'agent', 'admin')),
  sandbox    boolean not null default false,
  at         timestamptz not null default now(),
  inbound_message_id bigint references inbound_messages on delete set null, -- the reply for which it is held
  unique (phone, sandbox),
  check (num_nonnulls(phone, phone_hash) = 1),
  check (state <> 'held' or phone is not null),
  check (state <> 'refused' or phone is null)
);

create index on opt_outs (source, id);
create index on opt_outs (at, id) where state = 'held';
create index on opt_outs (inbound_message_id) where inbound_message_id is not null;

-- Every opt-out, opt-in, hold and release; append-only until the person is erased.
create table opt_out_events (
  id                 bigint generated always as identity primary key,
  phone              text not null,
  kind               text not null check (kind in ('opt_out', 'opt_in', 'hold', 'release')),
  source             text not null check (source in ('reply', 'provider', 'agent', 'admin')),
  actor              text not null,       -- 'user:7', 'system'
  sandbox            boolean not null default false,
  note               text not null default '', -- the user's reason
  inbound_message_id bigint references inbound_messages on delete set null,
  at                 timestamptz not null default now()
);
create index on opt_out_events (phone, id);
create index on opt_out_events (inbound_message_id) where inbound_message_id is not null;

-- Reports --------------------------------------------------------------------------------------------------------

-- Counts for reports, without personal data: they stay when retention has emptied the rows that they count. They are
-- made in the background and never change with a send or a receipt (db/reports/). Days and hours are those of the
-- deployment's time zone.

-- The messages of a run by the hour in which they left: read from its messages when its counts have changed.
create table run_hours (
  run_id      bigint not null references runs on delete cascade,
  day         date not null,
  hour        smallint not null check (hour between 0 and 23),
  provider_id bigint references providers,  -- which took, refused or may have taken them; else the run's
  country     text not null,                -- the calling code of the phones, '55'; '': not known
  status      text not null,                -- as in run_counts
  reason      text not null,
  messages    integer not null,
  segments    integer not null,
  unique nulls not distinct (run_id, day, hour, provider_id, country, status, reason)
);
create index on run_hours (day);

-- The replies to a run's messages by the hour in which they arrived, and its tickets by the hour in which they were
-- opened.
create table run_responses (
  run_id         bigint references runs on delete cascade, -- null: replies that belong to no run
  day            date not null,
  hour           smallint not null check (hour between 0 and 23),
  provider_id    bigint references providers,
  replies        integer not null,
  opt_outs       integer not null,          -- of the replies
  tickets        integer not null,
  answered       integer not null,          -- of the tickets, those that were answered
  answer_seconds bigint not null,           -- from opening to first answer, of all answered together
  unique nulls not distinct (run_id, day, hour, provider_id)
);
create index on run_responses (day);

-- What a run's counts were when its messages were last read for run_hours.
create table run_rollups (
  run_id         bigint primary key references runs on delete cascade,
  fingerprint    bigint,                    -- of run_counts; null: to be counted again
  took_ms        integer not null,
  counted_at     timestamptz not null default now()
);

-- Runs whose replies or tickets have changed since run_responses was last written.
create table stale_responses (
  run_id bigint primary key references runs on delete cascade
);

-- Days whose replies that belong to no run have changed since then.
create table stale_reply_days (
  day date primary key
);

-- Days of which run_hours or run_responses have changed since the tables below were last written.
create table stale_days (
  day date primary key
);

-- The same counts for reading, by day and by month: each row is what a report shows of one combination.
-- 0: no campaign, no region, no customer type, no provider.
create table report_days (
  day              date not null,
  campaign_id      bigint not null,
  region_id        bigint not null,
  customer_type_id bigint not null,
  provider_id      bigint not null,
  queued           integer not null,
  sent             integer not null,        -- taken, without a receipt
  delivered        integer not null,
  undelivered      integer not null,
  failed           integer not null,
  unknown          integer not null,
  skipped          integer not null,
  cancelled        integer not null,
  segments         integer not null,        -- of what the providers took: sent, delivered, undelivered
  unknown_segments integer not null,        -- of what they may have taken
  cost             bigint not null,         -- of `segments`, in millionths of the currency, at the prices of their day
  unpriced_segments integer not null,       -- of `segments`, those without a price
  replies          integer not null,
  opt_outs         integer not null,
  tickets          integer not null,
  answered         integer not null,
  answer_seconds   bigint not null,
  primary key (day, campaign_id, region_id, customer_type_id, provider_id)
);
create index on report_days (campaign_id, day);
create table report_months (like report_days including all); -- `day`: the first of the month

-- By hour, for all campaigns together.
create table report_hours (
  day              date not null,
  hour             smallint not null,
  region_id        bigint not null,
  customer_type_id bigint not null,
  provider_id      bigint not null,
  queued           integer not null,
  sent             integer not null,
  delivered        integer not null,
  undelivered      integer not null,
  failed           integer not null,
  unknown          integer not null,
  skipped          integer not null,
  cancelled        integer not null,
  segments         integer not null,
  unknown_segments integer not null,
  cost             bigint not null,
  unpriced_segments integer not null,
  replies          integer not null,
  opt_outs         integer not null,
  tickets          integer not null,
  answered         integer not null,
  answer_seconds   bigint not null,
  primary key (day, hour, region_id, customer_type_id, provider_id)
);

-- Why messages were not delivered, for all campaigns together.
create table report_reasons (
  day              date not null,
  region_id        bigint not null,
  customer_type_id bigint not null,
  provider_id      bigint not null,
  status           text not null,
  reason           text not null,
  messages         integer not null,
  primary key (day, region_id, customer_type_id, provider_id, status, reason)
);

-- How far the counts have been made; one row.
create table report_state (
  only_row         boolean primary key default true check (only_row),
  timezone         text,                    -- in which everything above was counted
  prices           bigint,                  -- a fingerprint of the prices at which costs were counted
  replies_through  bigint not null default 0, -- replies before this one have been seen
  tickets_through  bigint not null default 0,
  opt_outs_through bigint not null default 0, -- opt_out_events
  checked_all_at   timestamptz,             -- when the counts of all runs were last compared
  counted_at       timestamptz              -- the end of the last round
);
insert into report_state default values;

-- The admins' privacy settings (domain/privacy.ts); without a row, the defaults apply.
create table privacy_settings (
  only_row   boolean primary key default true check (only_row),
  definition jsonb not null
);

-- The words that opt out, opt in and ask for help (domain/reply.ts); without a row, the defaults apply.
create table reply_words (
  only_row   boolean primary key default true check (only_row),
  definition jsonb not null
);

-- Texts that are sent by themselves (domain/automatic-texts.ts). An empty text is off; without a row, both are.
create table automatic_texts (
  only_row boolean primary key default true check (only_row),
  opt_out  text not null,                 -- confirms an opt-out
  help     text not null                  -- answers a call for help
);

-- Keywords that are answered, or whose tickets go elsewhere than their campaign says.
create table automatic_keywords (
  position       integer primary key,
  words          jsonb not null,
  text           text not null,           -- empty: not answered
  department_id  bigint references departments, -- null: that of the campaign
  subcategory_id bigint references subcategories
);
create index on automatic_keywords (department_id);
create index on automatic_keywords (subcategory_id);

-- Keys that the deployment generated for itself.
create table deployment_keys (
  name   text primary key,
  sealed sealed not null
);

-- The deployment: one row (db/core/deployment.ts). Written every few seconds: a mostly empty page keeps the updates
-- HOT.
create table deployment (
  only_row boolean primary key default true check (only_row),
  home     text,                                -- the database's identity; null: no process has started on it yet
  alive_at timestamptz not null default now()   -- when a process last wrote here
) with (fillfactor = 10);
insert into deployment default values;

-- Identifies this database: cluster, database and timeline. A database restored from a dump or to a point in time has
-- another identity, and so has a promoted standby.
create function database_identity() returns text language sql stable
  return (select system_identifier from pg_control_system()) || '/'
    || (select oid from pg_database where datname = current_database()) || '/'
    || left(pg_walfile_name(pg_current_wal_lsn()), 8);

-- Each time the database was restored from a backup (db/runs/restores.ts).
create table restores (
  id            bigint generated always as identity primary key,
  backup_at     timestamptz not null,     -- the last heartbeat in the backup
  recognized_at timestamptz not null default now(),
  stopped_runs  integer not null,
  completed_at    timestamptz,              -- when campaigns may start runs again
  completed_by    text                      -- 'user:7': a user's decision; 'system': all providers were asked
);

-- The queries to each provider about the time since the backup (activities/restores.ts).
create table restore_catch_ups (
  restore_id  bigint not null references restores on delete cascade,
  provider_id bigint not null references providers on delete cascade,
  state       text not null default 'waiting' check (state in ('waiting', 'done', 'not_offered')),
  asked_at    timestamptz,                -- the last time
  problem     text,                       -- why there was no answer: a code
  replies     integer not null default 0, -- replies missing from the backup
  opt_outs    integer not null default 0, -- opt-outs among them
  known       integer not null default 0, -- messages of runs in the backup
  others      integer not null default 0, -- messages of runs that are not in the backup
  primary key (restore_id, provider_id)
);
create index on restore_catch_ups (provider_id);

create table test_sends (
  id          bigint generated always as identity primary key,
  campaign_id bigint not null references campaigns on delete cascade,
  sent_by     text not null,
  sent_at     timestamptz not null default now(),
  outcome     jsonb not null
);
create index on test_sends (campaign_id);
