import { afterEach, expect, inject, test } from 'vitest';
import { maxHeld } from '../../activities/sender.ts';
import { startProcess } from '../../bench/processes.ts';
import { insertUser } from '../../db/access/users.ts';
import { setEmailSettings } from '../../db/alerts/channels.ts';
import { insertAnswer } from '../../db/tickets/answers.ts';
import { emailSettings } from '../../domain/email.ts';
import { callbackPath } from '../../domain/provider.ts';
import { freePort } from '../../embedded/ports.ts';
import { createCallbacks } from '../../sandbox/callbacks.ts';
import { createRun } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createHours, createProvider, maxInFlight, phonesOf, readRun, startRun } from '../kit/factories.ts';
import { account } from '../kit/gateway.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSmtpServer, smtpLogin } from '../kit/smtp.ts';
import { createSystem } from '../kit/system.ts';
import { createTicketCatalog, onReply, onSend, openTicket } from '../kit/tickets.ts';
import { until } from '../kit/until.ts';
import { inboundForm, listenForReceipts } from '../kit/webhooks.ts';
import { json, startWebservice } from '../kit/webservice.ts';
import { lookUps } from '../../workflows/look-ups.ts';

/** The workers run as separate processes; those of the test system are stopped. */
const system = await createSystem({ asProcess: true });
const { sql, gateway, temporal } = system;
const { ended, countOf, writtenTo } = createRunProbe(system);
const running = new Set<Awaited<ReturnType<typeof startProcess>>>();
/** Only one worker runs at a time, so a test always kills the one that works. */
afterEach(async () => {
  for (const worker of running) await worker.stop();
  running.clear();
  await gateway.behave();
});

async function startWorker() {
  const worker = await startProcess(
    'worker/main.ts',
    {
      DATABASE_URL: system.databaseUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      SANDBOX_URL: gateway.url,
      PUBLIC_URL: 'http://127.0.0.1:1',
      WEBSERVICE_ALLOW: '127.0.0.1',
      ALERTS_ALLOW: '127.0.0.1',
      SECRET_KEYS: system.secretKeys,
      LOG_LEVEL: 'error',
    },
    null,
  );
  running.add(worker);
  return {
    kill: (): void => {
      worker.child.kill('SIGKILL');
      running.delete(worker);
    },
  };
}

test('no contact is lost or gets a message twice when the worker is killed twice during a run', async () => {
  const kills = [500, 1_200];
  await gateway.misbehave({ latencyMs: 40 });
  let worker = await startWorker();
  const run = await startRun(system, { mailing: 2_000 });
  for (const mark of kills) {
    await until(`${mark} are sent`, async () => (await countOf(run.id, 'sent')) > mark, { everyMs: 5 });
    worker.kill();
    worker = await startWorker();
  }
  await ended(run);
  const { sent = 0, ...others } = await expectCountsToMatchRows(sql, run.id);
  const unknown = others['unknown: sender_died'] ?? 0;
  expect(sent + unknown).toBe(2_000);
  expect(unknown).toBeLessThanOrEqual(kills.length * maxHeld(maxInFlight));
  const phones = await writtenTo(run);
  expect(new Set(phones).size).toBe(phones.length);
  expect(phones.length).toBeGreaterThanOrEqual(sent);
  expect(phones.length).toBeLessThanOrEqual(sent + unknown);

  await gateway.behave();
  // Without receipts, the look-up finds the messages that the gateway accepted, and resolves no others.
  const runLookUps = async (round: number): Promise<boolean> => {
    // A look-up normally waits five minutes for a receipt.
    await sql`update look_ups set due_at = now() where looks = 0`;
    await system.client.workflow.execute(lookUps, {
      workflowId: `look-ups-after-a-kill/${round}`,
      taskQueue: system.taskQueue,
      args: [],
    });
    const [left] = await sql<[{ n: number }]>`
      select count(*)::int as n from messages as m left join look_ups as l on l.message_id = m.id
      where m.run_id = ${run.id} and m.status = 'unknown' and l.result is null`;
    return left.n === 0;
  };
  let rounds = 0;
  await until('all that is unknown has been looked up', () => runLookUps(++rounds));
  expect(await countOf(run.id, 'sent')).toBe(phones.length);
  expect(await countOf(run.id, 'unknown')).toBe(2_000 - phones.length);
  await expectCountsToMatchRows(sql, run.id);
}, 150_000);

test('only the canary leaves during its wait, even when its sender is killed', async () => {
  await gateway.misbehave({ latencyMs: 40 });
  const worker = await startWorker();
  const run = await startRun(system, {
    mailing: 1_000,
    safeguards: { canarySize: 300, canaryMinutes: 10, stopAtPercent: 50 },
  });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 60, { everyMs: 5 });
  worker.kill();
  await startWorker();
  await until('the canary has left', async () => (await readRun(sql, run.id)).canaryLeftAt !== null, {
    withinMs: 60_000,
  });
  const { sent = 0, queued, ...others } = await expectCountsToMatchRows(sql, run.id);
  expect(queued).toBe(700);
  expect(sent + (others['unknown: sender_died'] ?? 0)).toBe(300);
  expect((await writtenTo(run)).length).toBeLessThanOrEqual(300);
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
}, 120_000);

test('no contact is lost or doubled when the worker is killed before and during the import of a mailing', async () => {
  const lines = 2_000;
  let answerNow = (): void => undefined;
  const answering = new Promise<void>((resolve) => (answerNow = resolve));
  const contacts = phonesOf(lines).map((phone, n) => ({
    codigo: n + 1,
    nome: `Contato ${n + 1}`,
    celular: phone,
  }));
  const service = await startWebservice(async (request, response) => {
    await answering;
    json(contacts)(request, response);
  });
  let worker = await startWorker();
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  const waitsFor = (what: 'advisory' | 'relation') =>
    until(
      `the import waits for its ${what} lock`,
      async () => {
        const waiting = await sql`
          select from pg_locks join pg_stat_activity using (pid)
          where not granted and locktype = ${what} and datname = current_database()`;
        return waiting.count > 0;
      },
      { withinMs: 60_000 },
    );

  await until('the service has a request', () => service.requests.length > 0);
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtext('torpedo.import'), ${run.id}::int)`;
    answerNow();
    await waitsFor('advisory');
    worker.kill();
  });
  await sql.begin(async (tx) => {
    await tx`lock table messages in share mode`;
    worker = await startWorker();
    await waitsFor('relation');
    worker.kill();
  });
  expect((await sql`select from messages where run_id = ${run.id}`).count).toBe(0);
  await startWorker();
  await ended(run);
  expect(service.requests).toHaveLength(1);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(lines));
  await service.close();
}, 180_000);

test('replies that arrive three times open one ticket each when the worker is killed twice', async () => {
  const replies = 60;
  const apiUrl = `http://127.0.0.1:${await freePort()}`;
  await listenForReceipts(system, apiUrl);
  const providerId = await createProvider(system);
  const phones = phonesOf(replies);
  const { runId } = await createRun(
    system,
    { providerId, hoursId: await createHours(sql) },
    { phones, changes: { ticketPolicy: onReply(await createTicketCatalog(sql)) } },
  );
  await sql`update messages set status = 'sent', sending_at = now(), sent_at = now() where run_id = ${runId}`;
  const handled = async (): Promise<number> => {
    const rows = await sql`select from inbound_messages where effect = 'ticket' and run_id = ${runId}`;
    return rows.count;
  };

  let worker = await startWorker();
  const callbacks = createCallbacks({ authToken: account.authToken, connections: 10 });
  const forms = phones.map((From) => inboundForm({ From }));
  const posted = Promise.all(
    [...forms, ...forms.toReversed(), ...forms].map((form) =>
      callbacks.post(apiUrl + callbackPath(providerId, 'inbound'), form),
    ),
  );
  for (const mark of [replies / 6, replies / 2]) {
    await until(`${mark} are handled`, async () => (await handled()) >= mark, { everyMs: 5 });
    worker.kill();
    worker = await startWorker();
  }
  expect(new Set(await posted)).toEqual(new Set([204]));
  await until('all are handled', async () => (await handled()) === replies, {
    withinMs: 100_000,
  });
  await callbacks.close();
  expect(
    await sql`select count(*)::int as tickets, count(distinct message_id)::int as messages from tickets`,
  ).toEqual([{ tickets: replies, messages: replies }]);
}, 150_000);

test('each message gets one ticket when the worker is killed while it opens the tickets of a large run', async () => {
  const lines = 12_000;
  const { runId } = await createRun(
    system,
    { providerId: await createProvider(system), hoursId: await createHours(sql) },
    { phones: phonesOf(lines), changes: { ticketPolicy: onSend(await createTicketCatalog(sql)) } },
  );
  await sql`update messages set status = 'sent', sending_at = now(), sent_at = now() where run_id = ${runId}`;
  await sql`update run_counts set status = 'sent' where run_id = ${runId}`;
  // Slows down its three batches, so that the kill happens during one of them.
  await sql.unsafe(`
    create function slow_down() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return null; end $$;
    create trigger slow_down after insert on tickets for each statement execute function slow_down()`);
  const opened = async (): Promise<number> =>
    (await sql`select from tickets where run_id = ${runId} limit ${lines + 1}`).count;

  const worker = await startWorker();
  const run = await readRun(sql, runId);
  await system.temporal.retryRun({ ...run, name: 'Many tickets' });
  await until('a batch is open', async () => (await opened()) > 0, { everyMs: 5 });
  worker.kill();
  expect(await opened()).toBeLessThan(lines);
  await startWorker();
  await ended(run);
  await sql`drop trigger slow_down on tickets`;
  expect(
    await sql`
    select count(*)::int as tickets, count(distinct message_id)::int as messages, count(distinct e.id)::int as events
    from tickets as t join ticket_events as e on e.ticket_id = t.id where t.run_id = ${runId}`,
  ).toEqual([{ tickets: lines, messages: lines, events: lines }]);
});

test('no answer to a customer is sent twice when the worker is killed while it sends them', async () => {
  await gateway.misbehave({ latencyMs: 1_500 });
  const providerId = await createProvider(system);
  const phones = Array.from({ length: 12 }, (_, i) => `+55119${String(60_000_000 + i)}`);
  const { messageIds } = await createRun(
    system,
    { providerId, hoursId: await createHours(sql) },
    { phones, changes: { ticketPolicy: onReply(await createTicketCatalog(sql)) } },
  );
  const ids: number[] = [];
  for (const [index, messageId] of messageIds.entries()) {
    const ticketId = await openTicket(sql, messageId);
    const { answer } = await sql.begin((tx) =>
      insertAnswer(tx, {
        ...{ kind: 'user', ticketId, inboundMessageId: null, requestKey: null, providerId, segments: 1 },
        ...{ actor: 'user:1', actorName: 'Ana', phone: phones[index] ?? '', text: `Oi ${index}` },
      }),
    );
    ids.push(answer.id);
    await temporal.startAnswer(answer);
  }
  const worker = await startWorker();
  const acceptedAnswers = async () => (await gateway.taken()).filter(({ to }) => phones.includes(to));
  await until('the provider has accepted some', async () => (await acceptedAnswers()).length >= 6, {
    everyMs: 5,
  });
  worker.kill();
  await gateway.behave();
  await startWorker();
  await until('all have an outcome', async () => {
    const rows = await sql`
      select from answers where id = any(${ids}::bigint[]) and status in ('queued', 'sending')`;
    return rows.count === 0;
  });
  const written = (await acceptedAnswers()).map(({ to }) => to);
  expect(new Set(written).size).toBe(written.length);
  for (const { phone, status } of await sql<{ phone: string; status: string }[]>`
    select phone, status from answers where id = any(${ids}::bigint[])`)
    expect([phone, status, written.includes(phone)]).toEqual([
      phone,
      expect.stringMatching(/^(?:sent|unknown)$/),
      status === 'sent' || written.includes(phone),
    ]);
}, 120_000);

test.each(['before the server answers', 'before the answer is recorded'] as const)(
  'an alert mail of a worker that is killed %s arrives once or twice',
  async (moment) => {
    const smtp = await createSmtpServer();
    const config = emailSettings.parse({
      ...{ enabled: true, host: '127.0.0.1', port: smtp.port, user: smtpLogin.user },
      ...{ from: 'torpedo@example.com', verifyCertificate: false },
    });
    await setEmailSettings(sql, system.box, config, { password: smtpLogin.password });
    const email = `bia-${moment.length}@example.com`;
    const bia = await insertUser(sql, {
      ...{ login: email, name: 'Bia', role: 'operator' as const, passwordHash: '', email },
    });
    const { runId } = await createRun(
      system,
      { providerId: await createProvider(system), hoursId: await createHours(sql) },
      { phones: phonesOf(1) },
    );
    await sql`update runs set status = 'failed', reason = '{"code": "fault"}' where id = ${runId}`;

    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    smtp.behavior.holdAnswer = () => answered;
    const worker = await startWorker();
    await temporal.syncAlerts();
    // For two minutes after an alert starts, other alerts are collected into the same mail.
    await until('the alert is found', async () => {
      const { count } = await sql`
        update alerts set since = now() - interval '10 minutes' where kind = 'run_failed' and subject = ${String(runId)}`;
      return count > 0;
    });
    const mails = () => smtp.received.filter(({ to }) => to === email);
    await until('the server has the mail', () => mails().length === 1);
    await sql.begin(async (tx) => {
      if (moment === 'before the answer is recorded') {
        await tx`lock table notifications in share mode`;
        answer();
        await until('the worker records the answer', async () => {
          const waiting = await sql`
            select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
              and query like '%update notifications set state%'`;
          return waiting.count > 0;
        });
      }
      worker.kill();
    });
    answer();
    await startWorker();
    await until('the alert is delivered', async () => {
      const delivered = await sql`
        select from notifications as n join notification_alerts as r on r.notification_id = n.id
          join alerts as a on a.id = r.alert_id
        where n.user_id = ${bia.id} and n.state = 'delivered' and a.kind = 'run_failed' and a.subject = ${String(runId)}`;
      return delivered.count === 1;
    });
    const [first, second, ...more] = mails();
    expect(first?.text).toContain(`/runs/${runId}\n`);
    expect(second?.messageId).toBe(first?.messageId);
    expect(more).toEqual([]);
    await sql`update runs set status = 'cancelled', reason = null where id = ${runId}`;
    await sql`update users set enabled = false where id = ${bia.id}`;
  },
  120_000,
);
