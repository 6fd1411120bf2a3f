-- Identifiers are bigint identities; states are words, the same as in domain/; instants are timestamptz.

-- A secret, sealed by db/core/secrets.ts and bound to its place. Columns of this type are listed there.
create domain sealed as text;

-- People and programs -------------------------------------------------------------------------------------------

create table users (
  id            bigint generated always as identity primary key,
  login         text not null unique check (login = lower(login)),
  name          text not null,
  password_hash text not null,
  -- The password was given by somebody else (an admin, the first start): nothing but choosing one's own is allowed.
  must_change_password boolean not null default false,
  role          text not null check (role in ('admin', 'operator', 'viewer')),
  locale        text not null default 'pt-BR' check (locale in ('pt-BR', 'en')),
  timezone      text not null default 'America/Sao_Paulo',
  sending_hours_id bigint,                -- what a new campaign of theirs begins with; references sending_hours, below
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
-- A habit of a person is no use of the entry: it does not keep it from being deleted.
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
  max_in_flight   int not null check (max_in_flight between 1 and 5000), -- sends under way at once, over all workers
  reference       text not null default left(gen_random_uuid()::text, 8), -- sms/reference.ts; never changed
  sandbox         boolean not null generated always as (config ->> 'kind' = 'sandbox') stored,
  fallback_id     bigint references providers check (fallback_id <> id), -- takes over what this one does not take
  archived_at     timestamptz
);
create index on providers (fallback_id);

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
  integration_id      bigint generated always as ((definition -> 'mailing' -> 'webservice' ->> 'integrationId')::bigint) stored references integrations,
  department_id       bigint generated always as ((definition -> 'ticketPolicy' ->> 'departmentId')::bigint) stored references departments,
  assignee_id         bigint generated always as ((definition -> 'ticketPolicy' ->> 'assigneeId')::bigint) stored references assignees,
  category_id         bigint generated always as ((definition -> 'ticketPolicy' ->> 'categoryId')::bigint) stored references categories,
  subcategory_id      bigint generated always as ((definition -> 'ticketPolicy' ->> 'subcategoryId')::bigint) stored references subcategories,
  resolution_id       bigint generated always as ((definition -> 'ticketPolicy' ->> 'resolutionId')::bigint) stored references resolutions,
  resolution_on_success_id bigint generated always as ((definition -> 'ticketPolicy' ->> 'resolutionOnSuccessId')::bigint) stored references resolutions,
  resolution_on_failure_id bigint generated always as ((definition -> 'ticketPolicy' ->> 'resolutionOnFailureId')::bigint) stored references resolutions,
  version             integer not null default 1,
  enabled             boolean not null default false,
  enabled_at          timestamptz,
  -- The last occurrence that was dealt with: run, late, skipped or missed. The next one is after it.
  scheduled_through   timestamptz,
  -- A changed schedule counts from the change on. What was due by those before it, each until it was changed, and is
  -- not dealt with yet is still owed: the campaign's workflow settles it and empties the list.
  schedule_since      timestamptz,
  previous_schedules  jsonb not null default '[]', -- [{"schedule": …, "until": instant}], oldest first
  -- When its workflow starts the next run, as it was planned last; null: never, or not planned yet.
  next_at             timestamptz,
  mailing_file_id     bigint,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now()
);
create index on campaigns (next_at) where next_at is not null;
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

-- Files live in the database: a worker on any machine reads them, and a backup has them. An upload is a campaign's CSV
-- file; what a run fetched from a web service is kept as it came, the pages one after the other, for RAW_ANSWER_DAYS.
create table mailing_files (
  id          bigint generated always as identity primary key,
  campaign_id bigint not null references campaigns on delete cascade,
  origin      text not null check (origin in ('upload', 'webservice')),
  bytes       bigint not null,
  sha256      bytea not null,
  lines       integer not null,
  bad_lines   integer not null,           -- of an upload
  extra_fields jsonb,                     -- of an upload: the names of the columns that it has beside the layout's
  pages       jsonb,                      -- of an answer, once it is whole: db/campaigns/mailings.ts, where each page begins
  uploaded_by text not null,
  uploaded_at timestamptz not null default now(),
  -- Null: bytes still arrive, or whoever sent or stored them has broken off. No campaign refers to such an upload.
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
-- Compressing a chunk costs more time than its pages do.
alter table mailing_file_chunks alter column bytes set storage external;

-- Customers ------------------------------------------------------------------------------------------------------

-- The words of a text as a search compares them: without accents, in small letters, letters and digits only.
create function search_words(value text) returns text[] language sql immutable parallel safe
  return string_to_array(trim(regexp_replace(
    lower(translate(normalize(value, nfc),
      'ÁÀÂÃÄÅÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÇÑÝáàâãäåéèêëíìîïóòôõöúùûüçñýÿ',
      'AAAAAAEEEEIIIIOOOOOUUUUCNYaaaaaaeeeeiiiiooooouuuucnyy')),
    '[^[:alnum:]]+', ' ', 'g')), ' ');

-- A text as lists are searched and sorted by it: without case, accents and punctuation.
create function folded(value text) returns text language sql immutable parallel safe
  return array_to_string(search_words(value), ' ');

-- A person in our base, across campaigns: matched by code, else by phone (E.164, any of the three).
--
-- A row is never deleted, but emptied: messages point here without a foreign key, whose check costs a run of a million
-- messages as much as half its import, and locks a million rows here.
create table customers (
  id               bigint generated always as identity primary key,
  code             text unique,
  name             text not null default '',
  name_folded      text collate "C" not null generated always as (folded(name)) stored,
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
  sandbox     boolean not null default false, -- said by a virtual phone: it changes no customer
  at          timestamptz not null,       -- when the person stated it
  recorded_at timestamptz not null default now()
);
create index on consents (customer_id, id);

-- The file of customers that is being imported: one row, or none. Its lines wait here until it has been read to its end,
-- so that a slow upload holds no transaction (db/customers/import.ts).
create table customer_imports (
  id       bigint generated always as identity primary key,
  only_row boolean not null default true unique check (only_row),
  alive_at timestamptz not null default now() -- an import that nobody has confirmed for minutes is abandoned
);
-- Unlogged: these lines are needed for minutes, and no backup and no archive of the log gets them. A crash of PostgreSQL
-- empties the table, and the import fails.
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
  request_key     text,                   -- of the request that opened it; null: the schedule did
  status          text not null check (status in ('running', 'paused', 'cancelling', 'finished', 'skipped', 'missed', 'cancelled', 'failed')),
  step            text not null check (step in ('due', 'hours', 'pending_check', 'mailing', 'preflight', 'approval', 'sending', 'tickets', 'done')),
  reason          jsonb,                  -- domain/run.ts: why it is paused, skipped, missed, cancelled or failed
  settings        jsonb not null,         -- domain/run.ts: the campaign as it was, frozen
  -- Those of its messages, too: all of a run are of one region and one type of customer.
  region_id       bigint generated always as ((settings -> 'campaign' -> 'mailing' ->> 'regionId')::bigint) stored references regions,
  customer_type_id bigint generated always as ((settings -> 'campaign' -> 'mailing' ->> 'customerTypeId')::bigint) stored references customer_types,
  mailing_file_id bigint references mailing_files, -- the file it reads, or the answer it fetched
  fetched_at      timestamptz,            -- when it began to fetch that answer
  resend_of       bigint references runs, -- the run whose messages this one sends again
  resend_scope    jsonb,                  -- db/runs/resends.ts: which of them
  provider_id     bigint references providers, -- who sends for it now: its campaign's, or the fallback it went over to
  failovers       jsonb not null default '[]', -- domain/failover.ts: how it went over to other providers
  expires_at      timestamptz,
  started_at      timestamptz,
  mailing_at      timestamptz,
  warnings        jsonb,                  -- domain/warnings.ts: what could not be read of its lines, counted
  preflight       jsonb,                  -- domain/preflight.ts
  approved_at     timestamptz,            -- of a run that waits for a person
  approved_by     text,                   -- 'user:7', 'token:3'
  canary_left_at  timestamptz,            -- when the first messages had left that the others wait for
  canary_over_at  timestamptz,            -- when the others were let go
  measured_from   jsonb,                  -- domain/safeguards.ts: outcomes and failures when a stopped run went on
  sending_at      timestamptz,
  moved_attempt_at bigint not null default 0, -- when the attempt that moved its status last was scheduled (ms): older ones move it no more
  finished_at     timestamptz,
  restored_at     timestamptz,            -- of a run that a restore has stopped: what it had queued may have left
  purged_at       timestamptz,            -- when the personal data of its messages was deleted by their age
  -- One run for each occurrence, whatever is retried.
  unique (campaign_id, occurrence),
  -- And one for each request.
  unique (campaign_id, request_key)
);
create index on runs (mailing_file_id);
create index on runs (provider_id);
create index on runs (region_id, id);
create index on runs (customer_type_id, id);
create index on runs (resend_of) where resend_of is not null;
-- With all that home asks of the runs of the last days.
create index on runs (occurrence) include (id, trigger);
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
  customer_id         bigint,             -- no foreign key: see customers
  extra               jsonb,              -- extra fields; of a line without a usable phone, its phones as they were written
  extra_phones        text[],             -- the numbers in extra, E.164: a person is looked for by them; null: none
  fault               jsonb,              -- of a line that is left out: what is wrong with it, a code of the catalog (domain/line.ts)
  warnings            jsonb,              -- what of it could not be read, with the values (domain/contact.ts); null: nothing
  resend_of           bigint references messages on delete set null, -- the first message of which this is a resend
  attempts            smallint not null default 0,
  not_before          timestamptz,        -- of a message that is to be tried again
  sender              text,               -- the activity that sent it; null: nobody has said what became of it
  provider_id         bigint,             -- who took or refused it, or may have taken it; no foreign key, for its cost
  provider_message_id text,
  provider_code       text,
  sending_at          timestamptz,
  sent_at             timestamptz,
  ended_at            timestamptz,
  unique (run_id, line)
) with (fillfactor = 40);
-- No index knows the status, and pages are more than half empty, since a message that was sent is longer by half: its
-- moves rewrite no index (HOT updates), which doubles the rate of sending. Who needs messages of a status reads a run
-- in the order of its lines, and run_counts say beforehand whether there are any.
-- But for the few whose move gives them a reason: what was left out or failed is looked for in runs of any size.
create index messages_with_reason on messages (run_id, line) where reason is not null;
create index messages_with_warnings on messages (run_id, line) where warnings is not null;
create index on messages (resend_of) where resend_of is not null;
create index messages_phone on messages (phone, id) where phone is not null;
-- For people who ask what is kept of them, or to be erased (db/customers/people.ts).
create index messages_code on messages (code, id) where code is not null;
create index messages_extra_phones on messages using gin (extra_phones) where extra_phones is not null;
create index on messages (customer_id, id) where customer_id is not null;

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

-- How far a run was at moments of its sending: each second at first, ever more rarely the longer it takes
-- (db/runs/samples.ts), so that a day has some 1,500.
create table run_samples (
  run_id   bigint not null references runs on delete cascade,
  at       timestamptz not null,
  messages integer not null,              -- handed to the provider, whatever became of them
  failed   integer not null,              -- of these failed or undelivered
  primary key (run_id, at)
);

-- What senders have in hand (db/messages/claims.ts). A claim is written before the first message of its batch may leave, and
-- goes with the outcome of the last; until then those of its messages that are queued may or may not have left.
create table claims (
  id          bigint generated always as identity primary key,
  run_id      bigint not null references runs on delete cascade,
  sender      text not null,              -- the activity, with its attempt
  message_ids bigint[] not null,
  claimed_at  timestamptz not null default now()
);
create index on claims (run_id);

-- Who may hand messages of a run to a provider at present (db/messages/leases.ts). A sender that was killed leaves its row behind.
create table sender_leases (
  sender     text primary key,            -- the activity, with its attempt
  run_id     bigint not null references runs on delete cascade,
  expires_at timestamptz not null,
  revoked    boolean not null default false -- not renewed any more: another attempt takes over, or the run ends
) with (fillfactor = 20);
create index on sender_leases (run_id);

-- Of messages that are unknown: when they are looked up at their provider, and what came of it (db/messages/unknown.ts).
create table look_ups (
  message_id  bigint primary key references messages on delete cascade,
  run_id      bigint not null references runs on delete cascade,
  provider_id bigint not null,
  due_at      timestamptz,                -- null: not looked up any more
  looks       integer not null default 0,
  result      text check (result in ('not_found', 'ambiguous', 'unavailable', 'not_offered')),
  looked_at   timestamptz
);
create index on look_ups (run_id);
create index on look_ups (due_at) where due_at is not null;

-- Up to which line a run has been handed out to senders.
create table send_cursors (
  run_id bigint primary key references runs on delete cascade,
  line   integer not null
) with (fillfactor = 10);

-- Activities that failed and are tried again: written by the attempt that failed, deleted by the one that succeeds
-- (activities/retries.ts). So lists show it without asking Temporal. No foreign key: its check would wait for whoever
-- holds the row of the run.
create table retries (
  workflow_id   text not null,            -- domain/ids.ts
  activity_id   text not null,            -- in that workflow
  activity      text not null,            -- 'importMailing'
  since         timestamptz not null default clock_timestamp(), -- the first failure
  attempt       integer not null,         -- that failed last
  cause         jsonb not null,           -- domain/problems/retries.ts
  failed_at     timestamptz not null default clock_timestamp(),
  next_at       timestamptz not null,
  trying_since  timestamptz,              -- null: the next attempt has not begun
  gives_up_at   timestamptz,              -- null: never by time
  attempts_left integer,                  -- null: their number does not matter
  primary key (workflow_id, activity_id)
);

-- Inbound --------------------------------------------------------------------------------------------------------

-- What a provider called us with, verified, as it came: first of all written here, then applied. Also what it said
-- when it was asked, and what a person said in its place.
-- Its id has no index: nobody looks for one, and each index is a tenth of what a receipt costs.
create table inbound_events (
  id          bigint generated always as identity,
  provider_id bigint not null,            -- of providers; the look there, for each event, is left out as well
  event_key   text not null,
  kind        text not null check (kind in ('receipt', 'message', 'other', 'look_up', 'settled')),
  message_id  bigint,
  payload     jsonb not null,
  received_at timestamptz not null default now(),
  primary key (provider_id, event_key)
);
create index on inbound_events (message_id) where message_id is not null;
-- For what came lately. It costs an insert next to nothing.
create index on inbound_events using brin (received_at) with (autosummarize = on);

-- What people wrote to us, one row for each message whatever the provider repeats.
create table inbound_messages (
  id                  bigint generated always as identity primary key,
  provider_id         bigint not null references providers,
  provider_message_id text not null,
  phone               text not null,      -- who wrote, E.164 where it can be read so
  recipient           text not null,      -- the number, short code or name of ours it was written to
  text                text not null,
  wish                text check (wish in ('opt_out', 'opt_in', 'help')), -- by the reply words of that moment
  received_at         timestamptz not null default now(),
  handled_at          timestamptz,        -- by the workflow `reply/<id>`; null: under way
  effect              text check (effect in ('none', 'ticket', 'opt_out', 'opt_in', 'help')),
  message_id          bigint references messages, -- the newest we had sent to that phone; null: a reply to nobody
  campaign_id         bigint references campaigns,
  run_id              bigint references runs,
  customer_id         bigint references customers,
  unique (provider_id, provider_message_id)
);
create index on inbound_messages (phone, id);
create index on inbound_messages (message_id, id) where message_id is not null;
create index on inbound_messages (campaign_id, id) where campaign_id is not null;
create index on inbound_messages (run_id, id) where run_id is not null;
create index on inbound_messages (run_id) where effect = 'opt_out'; -- asked for each second while a run is sending
create index on inbound_messages (effect, id) where effect is not null;
create index inbound_messages_unmatched on inbound_messages (id) where message_id is null;
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
  note               text not null default '',
  version            integer not null default 1,
  opened_at          timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  finished_at        timestamptz,
  check (status <> 'finished' or resolution_id is not null),
  check ((cause = 'reply') = (inbound_message_id is not null))
);
-- Exactly once for its cause: the message itself, or one reply to it.
create unique index tickets_cause on tickets (message_id, coalesce(inbound_message_id, 0));
create unique index tickets_cause_reply on tickets (inbound_message_id) where inbound_message_id is not null;
-- A search reads each status by itself (db/tickets/tickets.ts), so these serve it with a status and without one.
create index on tickets (status, id);
create index on tickets (campaign_id, status, id);
create index on tickets (run_id, status, id);
create index on tickets (department_id, status, id);
create index on tickets (assignee_id, status, id);
create index on tickets (category_id, status, id);
create index on tickets (phone, id) where phone is not null;
create index on tickets (customer_id, id) where customer_id is not null;
create index on tickets (subcategory_id);
create index on tickets (resolution_id) where resolution_id is not null;
create index on tickets using gin (search);
create index tickets_kept on tickets (finished_at) where phone is not null; -- not purged yet (db/core/retention.ts)

-- The history of a ticket, append-only: its opening, each change, each further reply, each correction by a receipt.
create table ticket_events (
  id         bigint generated always as identity primary key,
  ticket_id  bigint not null references tickets on delete cascade,
  kind       text not null check (kind in ('opened', 'changed', 'reply', 'receipt')),
  actor      text not null,               -- 'user:7', 'campaign:3', 'customer', 'receipt'
  actor_name text not null default '',    -- of a person; kept: the user may be gone
  changes    jsonb not null default '{}', -- {"status": ["open", "finished"]}; of free text only that it changed
  inbound_message_id bigint references inbound_messages,
  at         timestamptz not null default now()
);
create index on ticket_events (ticket_id, id);
-- A reply stands in one ticket, once.
create unique index ticket_events_reply on ticket_events (inbound_message_id) where inbound_message_id is not null;

-- Where openings and changes of tickets are posted: one row, or none.
create table ticket_posting (
  id      smallint primary key default 1 check (id = 1),
  config  jsonb not null,                 -- domain/ticket-posting.ts
  secrets sealed not null                 -- the key of the signature, headers
);

-- The outbox: one row for each event that is to be posted, written with the event. What is posted is made of the event
-- and the ticket when it leaves, so nothing of a person stands here but what the helpdesk answered.
create table ticket_posts (
  event_id      bigint primary key references ticket_events on delete cascade,
  ticket_id     bigint not null references tickets on delete cascade,
  state         text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed')),
  attempts      integer not null default 0,
  not_before    timestamptz not null default now(),
  queued_at     timestamptz not null default now(), -- or asked to be posted again
  answer_status integer,                  -- HTTP; null: no answer
  answer        text,                     -- its beginning, or why there is none
  answered_at   timestamptz
);
create index on ticket_posts (ticket_id, event_id);
create index ticket_posts_waiting on ticket_posts (event_id) where state = 'waiting';
create index ticket_posts_delivered on ticket_posts (event_id) where state = 'delivered'; -- db/core/retention.ts
create index ticket_posts_failed on ticket_posts (event_id) where state = 'failed';

-- Opt-outs -------------------------------------------------------------------------------------------------------

-- A phone that asked to be left alone, or that the provider says did. Nothing overrides it. It survives the erasure of
-- the person: of the phone a keyed hash stays (db/core/phone-hash.ts).
--
-- What virtual phones say keeps to itself: it counts for what the sandbox sends, and nothing takes a person's opt-out away
-- by it, nor gives them one.
create table opt_outs (
  id         bigint generated always as identity primary key,
  phone      text,                        -- E.164; null once erased
  phone_hash bytea unique,
  source     text not null check (source in ('reply', 'provider', 'admin')),
  sandbox    boolean not null default false,
  at         timestamptz not null default now(),
  unique (phone, sandbox),
  check (num_nonnulls(phone, phone_hash) = 1)
);

create index on opt_outs (source, id);

-- Every opting out and back in, append-only until the person is erased.
create table opt_out_events (
  id                 bigint generated always as identity primary key,
  phone              text not null,
  kind               text not null check (kind in ('opt_out', 'opt_in')),
  source             text not null check (source in ('reply', 'provider', 'admin')),
  actor              text not null,       -- 'user:7', 'system'
  sandbox            boolean not null default false,
  note               text not null default '', -- why an admin did it
  inbound_message_id bigint references inbound_messages on delete set null,
  at                 timestamptz not null default now()
);
create index on opt_out_events (phone, id);
create index on opt_out_events (inbound_message_id) where inbound_message_id is not null;

-- What admins have decided on privacy (domain/privacy.ts); without the row, its defaults.
create table privacy_settings (
  only_row   boolean primary key default true check (only_row),
  definition jsonb not null
);

-- The words by which people opt out, opt in and call for help (domain/reply.ts); without the row, its defaults.
create table reply_words (
  only_row   boolean primary key default true check (only_row),
  definition jsonb not null
);

-- Keys that the deployment made for itself.
create table deployment_keys (
  name   text primary key,
  sealed sealed not null
);

-- The deployment itself: one row (db/core/deployment.ts). Written every few seconds: a mostly empty page keeps the
-- updates on it (HOT).
create table deployment (
  only_row boolean primary key default true check (only_row),
  home     text,                                -- which database this is; null: no process has started on it yet
  alive_at timestamptz not null default now()   -- when a process last proved that it can write here
) with (fillfactor = 10);
insert into deployment default values;

-- Which database of which cluster this is, on which of its timelines. A database that is restored from a dump, or to a
-- point in time, is another one, and so is a standby that took over.
create function database_identity() returns text language sql stable
  return (select system_identifier from pg_control_system()) || '/'
    || (select oid from pg_database where datname = current_database()) || '/'
    || left(pg_walfile_name(pg_current_wal_lsn()), 8);

-- Each time the database was restored from a backup (db/runs/restores.ts).
create table restores (
  id            bigint generated always as identity primary key,
  backup_at     timestamptz not null,     -- the last sign of life that the backup holds
  recognized_at timestamptz not null default now(),
  stopped_runs  integer not null,
  settled_at    timestamptz,              -- from here on campaigns start runs again
  settled_by    text                      -- 'user:7': a person went on; 'system': all providers were asked
);

-- What each provider was asked about the time since the backup (activities/restores.ts).
create table restore_catch_ups (
  restore_id  bigint not null references restores on delete cascade,
  provider_id bigint not null references providers on delete cascade,
  state       text not null default 'waiting' check (state in ('waiting', 'done', 'not_offered')),
  asked_at    timestamptz,                -- the last time
  problem     text,                       -- why that gave no answer: a code
  replies     integer not null default 0, -- that the backup did not hold
  opt_outs    integer not null default 0, -- among them
  known       integer not null default 0, -- messages of runs that the backup holds
  others      integer not null default 0, -- messages that it knows nothing of
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
