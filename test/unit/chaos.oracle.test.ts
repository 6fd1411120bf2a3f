import { expect, test } from 'vitest';
import type { Line } from '../../chaos/contacts.ts';
import { type Evidence, type FindingKind, findingKinds, judge, unknownAtMost } from '../../chaos/oracle.ts';
import type { Disruption, PlannedCampaign } from '../../chaos/plan.ts';

const at = (seconds: number): Date => new Date(Date.parse('2026-11-29T12:00:00Z') + seconds * 1000);

const campaign = (key: string, changes: Partial<PlannedCampaign> = {}): PlannedCampaign => ({
  ...{
    key,
    round: 1,
    source: 'csv',
    ticketPolicy: 'never',
    contacts: 4,
    limited: false,
    dueAfterMs: 0,
    user: null,
  },
  ...changes,
});
const line = (code: string, changes: Partial<Line> = {}): Line => ({
  ...{
    campaign: code.slice(0, code.lastIndexOf('-')),
    code,
    phone: `+${code}`,
    expected: 'sent',
    answer: null,
  },
  ...changes,
});
const message = (
  id: number,
  code: string,
  status: string,
  changes: Partial<Evidence['rows']['messages'][number]> = {},
) => ({
  ...{ id, code, status, line: id, reason: null, sendingAt: at(1), endedAt: at(2) },
  ...{ runId: code.startsWith('a') ? 1 : 2, campaign: code.slice(0, 1) },
  ...changes,
});
const accepted = (code: string, status: 'sent' | 'delivered' | 'undelivered' = 'delivered', seconds = 1) => ({
  ...{ sid: `SM-${code}`, at: at(seconds), to: `+${code}`, code, status },
});
const freeze: Disruption = {
  kind: 'freeze',
  target: 'worker-1',
  round: 1,
  at: 0.5,
  ms: 10_000,
  overlaps: false,
};

/** A round without findings: `a` opens tickets on replies, `b` on send; one phone of `b` is refused. */
const clean = (): Evidence => ({
  campaigns: [campaign('a', { ticketPolicy: 'on_reply' }), campaign('b', { ticketPolicy: 'on_send' })],
  lines: [
    line('a-1'),
    line('a-2'),
    line('a-3', { expected: 'duplicate' }),
    line('b-1'),
    line('b-2', { expected: 'refused' }),
    line('b-3', { expected: 'opted_out' }),
  ],
  ledger: [accepted('a-1'), accepted('a-2', 'undelivered'), accepted('b-1')],
  acknowledged: new Set(['SM-a-1', 'SM-a-2', 'SM-b-1']),
  replies: [{ sid: 'reply', line: line('a-1'), optsOut: false, acknowledgedAt: at(3) }],
  rows: {
    runs: [
      { id: 1, campaign: 'a', status: 'finished', step: 'done', reason: null },
      { id: 2, campaign: 'b', status: 'finished', step: 'done', reason: null },
    ],
    messages: [
      message(1, 'a-1', 'delivered'),
      message(2, 'a-2', 'undelivered', { reason: 'not_delivered' }),
      message(3, 'a-3', 'skipped', { reason: 'duplicate_phone' }),
      message(4, 'b-1', 'delivered'),
      message(5, 'b-2', 'failed', { reason: 'number_not_mobile' }),
      message(6, 'b-3', 'skipped', { reason: 'opted_out' }),
    ],
    counts: [
      { runId: 1, status: 'delivered', reason: '', messages: 1 },
      { runId: 1, status: 'undelivered', reason: 'not_delivered', messages: 1 },
      { runId: 1, status: 'skipped', reason: 'duplicate_phone', messages: 1 },
      { runId: 1, status: 'queued', reason: '', messages: 0 },
      { runId: 2, status: 'delivered', reason: '', messages: 1 },
      { runId: 2, status: 'failed', reason: 'number_not_mobile', messages: 1 },
      { runId: 2, status: 'skipped', reason: 'opted_out', messages: 1 },
    ],
    claims: 0,
    inbound: [{ sid: 'reply', code: 'a-1', handled: true, effect: 'ticket' }],
    tickets: [
      { code: 'a-1', cause: 'reply', succeeded: null, replySids: ['reply'] },
      { code: 'b-1', cause: 'send', succeeded: true, replySids: [] },
      { code: 'b-2', cause: 'send', succeeded: false, replySids: [] },
    ],
    optedOut: new Set(),
  },
  stops: [],
  lostAnswers: 0,
  disruptions: [],
  sendersPerRun: 1,
  limits: { microBatch: 500 },
  missingWorkflows: [],
});

/** The clean round with changed rows. */
const withRows = (change: (rows: Evidence['rows']) => Partial<Evidence['rows']>): Partial<Evidence> => {
  const { rows } = clean();
  return { rows: { ...rows, ...change(rows) } };
};
/** The clean round with one message replaced and the counts adjusted. */
const withMessage = (changed: Evidence['rows']['messages'][number]): Partial<Evidence> =>
  withRows(({ messages }) => {
    const all = messages.map((one) => (one.id === changed.id ? changed : one));
    return {
      messages: all,
      counts: all.map(({ runId, status, reason }) => {
        const same = all.filter(
          (one) => one.runId === runId && one.status === status && one.reason === reason,
        );
        return { runId, status, reason: reason ?? '', messages: same.length };
      }),
    };
  });
const found = (changes: Partial<Evidence>): FindingKind[] =>
  judge({ ...clean(), ...changes }).map(({ kind }) => kind);

test('a round that keeps all guarantees has no findings', () => {
  expect(judge(clean())).toEqual([]);
});

const broken: Partial<Record<FindingKind, () => Partial<Evidence>>> = {
  sent_twice: () => ({ ledger: [...clean().ledger, { ...accepted('a-1'), sid: 'SM-again' }] }),
  not_accepted: () => ({ ledger: clean().ledger.filter(({ code }) => code !== 'b-1') }),
  accepted_not_recorded: () => ({
    ...withMessage(message(2, 'a-2', 'failed', { reason: 'temporary_failure' })),
    acknowledged: new Set(),
  }),
  sent_wrongly: () => ({ ledger: [...clean().ledger, accepted('b-2')] }),
  opt_out_ignored: () => ({ ledger: [...clean().ledger, accepted('b-3')] }),
  line_missing: () => ({ lines: [...clean().lines, line('a-4')] }),
  line_doubled: () =>
    withRows(({ messages, counts }) => ({
      messages: [...messages, message(7, 'a-1', 'delivered')],
      counts: counts.map((count, index) => (index === 0 ? { ...count, messages: 2 } : count)),
    })),
  line_not_final: () => withMessage(message(5, 'b-2', 'queued')),
  line_wrong_status: () => withMessage(message(3, 'a-3', 'skipped', { reason: 'phone_invalid' })),
  counts_differ: () => withRows(({ counts }) => ({ counts: counts.slice(1) })),
  run_missing: () => withRows(({ runs }) => ({ runs: runs.slice(1) })),
  run_stuck: () =>
    withRows(({ runs }) => ({
      runs: runs.map((run) => ({ ...run, status: 'running', step: 'sending' })),
    })),
  claim_left: () => withRows(() => ({ claims: 1 })),
  receipt_lost: () => withMessage(message(1, 'a-1', 'sent')),
  unknown_unexplained: () => ({
    ...withMessage(message(1, 'a-1', 'unknown', { reason: 'sender_died' })),
    acknowledged: new Set(),
  }),
  reply_lost: () =>
    withRows(() => ({ inbound: [{ sid: 'reply', code: null, handled: true, effect: 'none' }] })),
  reply_twice: () => withRows(({ inbound }) => ({ inbound: [...inbound, ...inbound] })),
  ticket_missing: () => withRows(({ tickets }) => ({ tickets: tickets.slice(1) })),
  ticket_doubled: () => withRows(({ tickets }) => ({ tickets: [...tickets, ...tickets.slice(1, 2)] })),
  ticket_wrong: () =>
    withRows(({ tickets }) => ({
      tickets: tickets.map((ticket) => (ticket.code === 'b-1' ? { ...ticket, succeeded: false } : ticket)),
    })),
  opt_out_lost: () => ({ replies: clean().replies.map((reply) => ({ ...reply, optsOut: true })) }),
  sent_while_stopped: () => ({
    ledger: clean().ledger.map((one) => (one.code === 'b-1' ? accepted('b-1', 'delivered', 20) : one)),
    stops: [{ campaign: 'b', kind: 'pause', from: at(10), until: at(60) }],
  }),
  workflow_missing: () => ({ missingWorkflows: ['campaign/1 is missing'] }),
};

test.each(Object.entries(broken))('%s is the only finding', (kind, changes) => {
  expect(found(changes())).toEqual([kind]);
});

test('every kind of finding in a round has a test', () => {
  // The chaos tool itself detects that a process has ended.
  expect([...Object.keys(broken), 'process_ended'].toSorted()).toEqual(Object.keys(findingKinds).toSorted());
});

test('a message may be unknown if its sender was frozen at that time or the gateway lost its answer', () => {
  const unknown = (reason: string, endedAt: Date) => ({
    ...withMessage(message(1, 'a-1', 'unknown', { reason, endedAt })),
    acknowledged: new Set<string>(),
  });
  const disruptions = [{ disruption: freeze, from: at(0), to: at(10) }];
  expect(found({ ...unknown('sender_died', at(30)), disruptions })).toEqual([]);
  expect(found({ ...unknown('no_answer', at(30)), disruptions })).toEqual([]);
  expect(found({ ...unknown('no_answer', at(30)), lostAnswers: 1 })).toEqual([]);
  const apart = [{ disruption: freeze, from: at(100), to: at(110) }];
  expect(found({ ...unknown('sender_died', at(30)), disruptions: apart, lostAnswers: 1 })).toEqual([
    'unknown_unexplained',
  ]);
});

test('a message in flight when a user stops its run may still arrive, and cancelled is a valid final status', () => {
  const stops = [{ campaign: 'a', kind: 'cancel' as const, from: at(0), until: null }];
  expect(found({ stops })).toEqual([]);
  const user = { kind: 'cancel' as const, at: 0.5, pauseMs: 0 };
  const campaigns = clean().campaigns.map((one) => (one.key === 'a' ? { ...one, user } : one));
  const cancelled = withMessage(message(2, 'a-2', 'cancelled'));
  const ledger = clean().ledger.filter(({ code }) => code !== 'a-2');
  expect(found({ ...cancelled, campaigns, ledger })).toEqual([]);
  expect(found({ ...cancelled, ledger })).toEqual(['line_wrong_status']);
});

test('each disruption of senders allows as many unknown messages as a sender of each run can hold', () => {
  const disruptions = (count: number) =>
    Array.from({ length: count }, () => ({ disruption: freeze, from: at(0), to: at(10) }));
  const campaigns = [campaign('a', { contacts: 10_000 }), campaign('b', { contacts: 100 })];
  const base = { campaigns, sendersPerRun: 2, limits: { microBatch: 500 }, lostAnswers: 7 };
  expect(unknownAtMost({ ...base, disruptions: disruptions(0) })).toBe(7);
  expect(unknownAtMost({ ...base, disruptions: disruptions(2) })).toBe(7 + 2 * (1_000 + 100));
  expect(unknownAtMost({ ...base, disruptions: disruptions(100) })).toBe(10_100);
});
