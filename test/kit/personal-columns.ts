const staff = 'users and programs of the deployment, who receive no mailings';
const settings = 'settings of admins, which concern no customer';
const figures = 'ids, states, codes and times, which remain after an erasure';

/**
 * Every column of the database. `personal` columns are erased and exported: their value is the key of the export. `not`
 * maps a reason to the columns that are not personal. A new column fails test/api/privacy.schema.test.ts until it is here.
 */
export const columnsOf: Record<string, { personal?: Record<string, string>; not: Record<string, string> }> = {
  alert_settings: { not: { [settings]: 'only_row definition' } },
  alert_webhook: { not: { [settings]: 'id config secrets' } },
  alerts: {
    not: {
      [figures]: 'id kind subject quiet since ended_at',
      'counts, codes and names of settings, but never personal values': 'facts',
    },
  },
  answers: {
    personal: { phone: 'answers', text: 'answers', provider_code: 'answers' },
    not: {
      [staff]: 'actor actor_name request_key',
      [figures]:
        'id kind keyword ticket_id inbound_message_id provider_id segments status reason attempts perhaps_taken sender provider_message_id created_at sending_at sent_at ended_at cost_day',
    },
  },
  api_tokens: {
    not: { [staff]: 'id name token_hash role created_by created_at expires_at last_used_at revoked_at' },
  },
  assignees: { not: { [settings]: 'id name definition archived_at' } },
  audit_log: {
    not: {
      [staff]: 'actor actor_name',
      [figures]: 'id at action subject_kind subject_id',
      'ids, counts, names and values of settings, but never personal values': 'subject_name details changes',
    },
  },
  automatic_keywords: { not: { [settings]: 'position words text department_id subcategory_id' } },
  automatic_texts: { not: { [settings]: 'only_row opt_out help' } },
  campaigns: {
    not: {
      [settings]:
        'id definition name provider_id sending_hours_id holiday_calendar_id region_id customer_type_id integration_id department_id assignee_id category_id subcategory_id resolution_id resolution_on_success_id resolution_on_failure_id monthly_budget version enabled enabled_at first_enabled_at archived_at scheduled_through schedule_since previous_schedules next_at mailing_file_id answer_attributes created_at updated_at',
    },
  },
  categories: { not: { [settings]: 'id name definition archived_at' } },
  claims: { not: { [figures]: 'id run_id sender message_ids claimed_at' } },
  company: { not: { [settings]: 'id name logo logo_facts' } },
  consents: {
    personal: {
      consent: 'consents',
      source: 'consents',
      note: 'consents',
      at: 'consents',
      recorded_at: 'consents',
      sandbox: 'consents',
      customer_id: 'consents',
    },
    not: { [figures]: 'id', [staff]: 'actor' },
  },
  customer_import_portions: {
    not: {
      'a file during its upload, deleted with its import after at most some minutes': 'lines',
      [figures]: 'import_id seq',
    },
  },
  customer_imports: { not: { [figures]: 'id only_row alive_at' } },
  customer_types: { not: { [settings]: 'id name definition archived_at' } },
  customers: {
    personal: {
      code: 'customer',
      name: 'customer',
      name_folded: 'customer',
      name_words: 'customer',
      mobile: 'customer',
      phone: 'customer',
      phone2: 'customer',
      birth_date: 'customer',
      region_id: 'customer',
      customer_type_id: 'customer',
      consent_source: 'customer',
      consent_at: 'customer',
    },
    not: {
      'the row remains without personal data, because messages refer to it':
        'id created_at updated_at erased_at',
      'not_stated once erased': 'consent',
    },
  },
  departments: { not: { [settings]: 'id name definition archived_at' } },
  deployment: { not: { [settings]: 'only_row home alive_at' } },
  deployment_budget: { not: { [settings]: 'only_row monthly' } },
  deployment_keys: { not: { [settings]: 'name sealed' } },
  email_settings: { not: { [settings]: 'id config secrets' } },
  extra_field_groups: { not: { [settings]: 'id name definition archived_at' } },
  holiday_calendars: { not: { [settings]: 'id name definition archived_at' } },
  inbound_events: {
    personal: { payload: 'providerEvents', unread: 'providerEvents' },
    not: {
      [figures]: 'id provider_id kind message_id received_at',
      'a digest, or an id of the provider': 'event_key',
    },
  },
  inbound_messages: {
    personal: { phone: 'replies', text: 'replies' },
    not: {
      [figures]:
        'id provider_id intent received_at handled_at effect message_id campaign_id run_id customer_id',
      'an id of the provider, which identifies a repeated reply': 'provider_message_id',
      'half a digest, too short to identify the sender or the text': 'fingerprint',
      'our own number or sender name': 'recipient',
    },
  },
  integrations: { not: { [settings]: 'id name config secrets archived_at' } },
  look_ups: { not: { [figures]: 'message_id run_id provider_id due_at looks result looked_at' } },
  mailing_file_chunks: {
    not: {
      'a file as it was uploaded or fetched: an erasure lists the files that still contain the customer':
        'bytes',
      [figures]: 'file_id seq',
    },
  },
  mailing_files: {
    not: {
      [figures]: 'id campaign_id origin bytes sha256 lines bad_lines uploaded_at completed_at',
      [staff]: 'uploaded_by',
      [settings]: 'extra_fields name',
      'the offsets of the pages of a response, and its host': 'pages',
    },
  },
  messages: {
    personal: {
      code: 'messages',
      name: 'messages',
      phone: 'messages',
      text: 'messages',
      extra: 'messages',
      extra_phones: 'messages',
      warnings: 'messages',
      provider_code: 'messages',
    },
    not: {
      [figures]:
        'id run_id line status reason fault segments customer_id resend_of attempts not_before sender provider_id sending_at sent_at ended_at',
      'an id of the provider, which identifies its receipts': 'provider_message_id',
    },
  },
  notification_alerts: { not: { [figures]: 'notification_id alert_id' } },
  notifications: {
    not: {
      [figures]: 'id purpose channel state attempts problem created_at begun_at ended_at',
      [staff]: 'user_id',
    },
  },
  opt_out_events: {
    personal: {
      phone: 'optOutHistory',
      kind: 'optOutHistory',
      source: 'optOutHistory',
      sandbox: 'optOutHistory',
      note: 'optOutHistory',
      inbound_message_id: 'optOutHistory',
      at: 'optOutHistory',
    },
    not: { [figures]: 'id', [staff]: 'actor' },
  },
  opt_outs: {
    personal: { phone: 'optOuts' },
    not: {
      'a keyed hash keeps the opt-out of an erased customer in force':
        'id phone_hash state source sandbox at',
      'the reply that caused a hold, which ends with the erasure': 'inbound_message_id',
    },
  },
  prices: { not: { [settings]: 'provider_id prefix first_day millionths' } },
  password_resets: { not: { [staff]: 'token_hash user_id expires_at' } },
  privacy_settings: { not: { [settings]: 'only_row definition' } },
  provider_lanes: { not: { [settings]: 'provider_id worker senders expires_at' } },
  provider_message_ids: {
    not: {
      [figures]: 'provider_id message_id sent_at',
      'an id of the provider': 'provider_message_id',
    },
  },
  provider_rates: {
    not: {
      [settings]:
        'provider_id reserved_until answers_until held_until held_code doubts probes doubted_at doubt_code suspects',
    },
  },
  providers: {
    not: {
      [settings]:
        'id name config secrets segment_profile rate_per_second max_in_flight reference sandbox fallback_id archived_at',
    },
  },
  regions: { not: { [settings]: 'id name definition archived_at' } },
  reply_words: { not: { [settings]: 'only_row definition' } },
  report_days: {
    not: {
      [figures]:
        'day campaign_id region_id customer_type_id provider_id queued sent delivered undelivered failed unknown skipped cancelled segments unknown_segments cost unpriced_segments replies opt_outs tickets answered answer_seconds',
    },
  },
  report_hours: {
    not: {
      [figures]:
        'day hour region_id customer_type_id provider_id queued sent delivered undelivered failed unknown skipped cancelled segments unknown_segments cost unpriced_segments replies opt_outs tickets answered answer_seconds',
    },
  },
  report_months: {
    not: {
      [figures]:
        'day campaign_id region_id customer_type_id provider_id queued sent delivered undelivered failed unknown skipped cancelled segments unknown_segments cost unpriced_segments replies opt_outs tickets answered answer_seconds',
    },
  },
  report_reasons: {
    not: { [figures]: 'day region_id customer_type_id provider_id status reason messages' },
  },
  report_state: {
    not: {
      [figures]: 'only_row replies_through tickets_through opt_outs_through checked_all_at counted_at',
      [settings]: 'timezone prices',
    },
  },
  quick_replies: { not: { [settings]: 'id name definition archived_at' } },
  resolutions: { not: { [settings]: 'id name definition archived_at' } },
  restore_catch_ups: {
    not: { [figures]: 'restore_id provider_id state asked_at problem replies opt_outs known others' },
  },
  restores: {
    not: { [figures]: 'id backup_at recognized_at stopped_runs completed_at', [staff]: 'completed_by' },
  },
  retries: {
    not: {
      [figures]:
        'workflow_id activity_id activity since attempt failed_at next_at trying_since gives_up_at attempts_left',
      'codes and numbers (domain/problems/retries.ts)': 'cause',
    },
  },
  single_costs: { not: { [figures]: 'kind provider_id day country segments millionths unpriced' } },
  run_costs: {
    not: { [figures]: 'run_id provider_id day campaign_id segments millionths unpriced' },
  },
  run_counts: { not: { [figures]: 'run_id status reason messages segments' } },
  run_hours: {
    not: { [figures]: 'run_id day hour provider_id country status reason messages segments' },
  },
  run_responses: {
    not: {
      [figures]: 'run_id day hour provider_id replies opt_outs tickets answered answer_seconds',
    },
  },
  run_rollups: { not: { [figures]: 'run_id fingerprint took_ms counted_at' } },
  run_samples: { not: { [figures]: 'run_id at messages failed' } },
  runs: {
    not: {
      [figures]:
        'id campaign_id occurrence trigger status step region_id customer_type_id sending_hours_id holiday_calendar_id mailing_file_id fetched_at resend_of resend_scope provider_id expires_at started_at mailing_at preflight warnings approved_at beyond_budget_at canary_left_at canary_over_at measured_from sending_at sender_wanted_at moved_attempt_at finished_at seen_at restored_at purged_at',
      [settings]: 'settings',
      [staff]: 'approved_by',
      'names of providers, and codes that contain no phone (showableCode)': 'failovers',
      'chosen by the program that requests a run': 'request_key',
      'can quote an unreadable line: cleared if it contains the phone, and with the run': 'reason',
    },
  },
  schema_migrations: { not: { [settings]: 'number name checksum applied_at' } },
  send_cursors: { not: { [figures]: 'run_id line' } },
  sender_leases: { not: { [figures]: 'sender run_id expires_at revoked' } },
  sending_hours: { not: { [settings]: 'id name definition archived_at' } },
  sessions: { not: { [staff]: 'id_hash user_id created_at last_seen_at expires_at' } },
  stale_days: { not: { [figures]: 'day' } },
  stale_reply_days: { not: { [figures]: 'day' } },
  stale_responses: { not: { [figures]: 'run_id' } },
  subcategories: {
    not: { [settings]: 'id name definition category_id extra_field_group_id archived_at' },
  },
  test_sends: {
    not: {
      [staff]: 'id campaign_id sent_by sent_at',
      'an id of the provider, and codes that contain no phone': 'outcome',
    },
  },
  ticket_events: {
    personal: { note: 'ticketHistory' },
    not: {
      [figures]: 'id ticket_id kind inbound_message_id answer_id at',
      [staff]: 'actor actor_name',
      'states and ids; for free text only the fact that it changed': 'changes',
    },
  },
  ticket_automation: {
    not: { [settings]: 'only_row reopen_on_reply wait_on_answer finish_after_days finish_resolution_id' },
  },
  ticket_posting: { not: { [settings]: 'id config secrets' } },
  ticket_posts: {
    personal: { answer: 'helpdeskAnswers' },
    not: {
      [figures]: 'event_id ticket_id state attempts not_before queued_at answer_status answered_at',
    },
  },
  tickets: {
    personal: {
      phone: 'tickets',
      name: 'tickets',
      code: 'tickets',
      search: 'tickets',
      extra: 'tickets',
    },
    not: {
      [figures]:
        'id cause campaign_id run_id message_id inbound_message_id customer_id status channel department_id assignee_id category_id subcategory_id resolution_id user_id version opened_at updated_at finished_at customer_wrote_at customer_first_wrote_at answered_at first_answered_at answer_due_at unanswered',
    },
  },
  users: {
    not: {
      [staff]:
        'id login name password_hash must_change_password role locale timezone sending_hours_id enabled email alert_choices created_at',
    },
  },
};

export const personalColumns = Object.entries(columnsOf).flatMap(([table, { personal = {} }]) =>
  Object.entries(personal).map(([column, key]) => ({ table, column, key })),
);
