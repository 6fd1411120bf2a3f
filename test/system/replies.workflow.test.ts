import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../../api/http/app.ts';
import { ApiError } from '../../api/http/errors.ts';
import { createReplyStarts } from '../../api/services/reply-starts.ts';
import { createTemporal } from '../../api/services/temporal.ts';
import { replyWorkflowId } from '../../domain/ids.ts';
import { callbackPath } from '../../domain/provider.ts';
import { freePort } from '../../embedded/ports.ts';
import { attributes } from '../../workflows/attributes.ts';
import { createProvider, mailing, phoneOf, readRun, startRun } from '../kit/factories.ts';
import { historyText } from '../kit/history.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem, type System } from '../kit/system.ts';
import { createTicketCatalog, onReply } from '../kit/tickets.ts';
import { localWebservice } from '../kit/webservice.ts';
import { until } from '../kit/until.ts';
import { inboundForm, listenForReceipts, postSigned } from '../kit/webhooks.ts';
import { connectAnywhere, localTokens } from '../kit/connect.ts';
import { localOutgoing } from '../kit/outgoing.ts';

const apiUrl = `http://127.0.0.1:${await freePort()}`;
const system = await createSystem({ publicUrl: apiUrl });
const { sql, gateway, client } = system;
await listenForReceipts(system, apiUrl);
const providerId = await createProvider(system);
const inboundPath = callbackPath(providerId, 'inbound');
const ticketPolicy = onReply(await createTicketCatalog(sql));
const { ended } = createRunProbe(system);

const repliesOf = (phone: string) =>
  sql<{ id: number; effect: string | null; runId: number | null; text: string }[]>`
    select id, effect, run_id, text from inbound_messages where phone = ${phone} order by id`;
const handled = (phone: string, count = 1) =>
  until(`${count} replies are handled`, async () => {
    const rows = await repliesOf(phone);
    return rows.length === count && rows.every(({ effect }) => effect !== null) && rows;
  });

test('a reply opens a ticket, and an opt-out reply excludes the phone from later runs', async () => {
  const phone = phoneOf(1);
  const run = await startRun(system, { mailing: 3, providerId, ticketPolicy });
  await ended(run);
  expect(await gateway.reply(phone, 'Quero saber mais, por favor.')).toBe(204);
  const [reply] = await handled(phone);
  expect(reply).toMatchObject({ effect: 'ticket', runId: run.id });
  expect(await sql`select phone from tickets where run_id = ${run.id}`).toEqual([{ phone }]);

  expect(await gateway.reply(phone, 'Saír!')).toBe(204);
  expect((await handled(phone, 2)).map(({ effect }) => effect)).toEqual(['ticket', 'opt_out']);
  const next = await startRun(system, { mailing: 3, providerId, ticketPolicy });
  await ended(next);
  expect(
    await sql`select status, reason from messages where run_id = ${next.id} order by line`,
  ).toMatchObject([{ status: 'skipped', reason: 'opted_out' }, { status: 'sent' }, { status: 'sent' }]);
});

test('the workflow of a reply returns its effect and contains no phone, name or text', async () => {
  const phone = phoneOf(2);
  expect(await gateway.reply(phone, 'Meu segredo')).toBe(204);
  const [{ id } = { id: 0 }] = await handled(phone);
  const handle = client.workflow.getHandle(replyWorkflowId(id));
  expect(await handle.result()).toMatchObject({ effect: 'ticket' });
  const { typedSearchAttributes } = await handle.describe();
  expect(typedSearchAttributes.get(attributes.outcome)).toBe('ticket');
  const history = await historyText(client, replyWorkflowId(id));
  expect(history).toContain('handleReply');
  for (const secret of [phone.slice(1), 'Contato', 'segredo']) expect(history).not.toContain(secret);
});

test('a reply to a message sent before a restore opens its ticket when a receipt proves the send', async () => {
  const phone = '+5511944440000';
  const run = await startRun(system, {
    mailing: mailing(1).replace(phoneOf(1), phone),
    providerId,
    ticketPolicy,
    safeguards: { approval: true },
  });
  await until('it waits for approval', async () => (await readRun(sql, run.id)).step === 'approval');
  const [{ id } = { id: 0 }] = await sql<{ id: number }[]>`select id from messages where run_id = ${run.id}`;
  await sql`update runs set restored_at = now() where id = ${run.id}`;
  const app = await appOn(system, system.temporal);
  const inbound = inboundForm({ From: phone, Body: 'Quero saber mais.' });
  expect((await postSigned(app, inboundPath, inbound, { apiUrl })).statusCode).toBe(204);
  const [reply] = await handled(phone);
  expect(reply).toMatchObject({ effect: 'none', runId: null });

  const receipt = { MessageSid: 'SM'.padEnd(34, '7'), MessageStatus: 'delivered' };
  const receiptPath = `${callbackPath(providerId, 'receipts')}?message=${id}`;
  expect((await postSigned(app, receiptPath, receipt, { apiUrl })).statusCode).toBe(204);
  await until('the ticket is open', async () => (await repliesOf(phone))[0]?.effect === 'ticket');
  expect(await client.workflow.getHandle(replyWorkflowId(reply?.id ?? 0)).result()).toMatchObject({
    effect: 'ticket',
    messageId: id,
    runId: run.id,
  });
  await system.temporal.cancelRun(run, 'user:7');
});

test('a reply that arrives during a Temporal outage is stored, and handled afterwards', async () => {
  const phone = phoneOf(3);
  const downTemporal = createTemporal({
    address: `127.0.0.1:${await freePort()}`,
    namespace: 'default',
    tls: false,
    taskQueue: system.taskQueue,
    uiUrl: null,
    timeoutMs: 200,
  });
  const appWithoutTemporal = await appOn(system, downTemporal);
  const answer = await postSigned(appWithoutTemporal, inboundPath, inboundForm({ From: phone }), { apiUrl });
  expect(answer.statusCode).toBe(204);
  const leaver = '+5511933330000';
  const left = await postSigned(
    appWithoutTemporal,
    inboundPath,
    inboundForm({ From: leaver, Body: 'SAIR' }),
    { apiUrl },
  );
  expect(left.statusCode).toBe(204);
  // The phone is opted out before the reply is handled.
  expect(await sql`select source from opt_outs where phone = ${leaver}`).toEqual([{ source: 'reply' }]);
  await appWithoutTemporal.close();
  await downTemporal.close();
  expect(await repliesOf(phone)).toMatchObject([{ effect: null }]);

  const back = await appOn(system, system.temporal);
  await back.listen({ host: '127.0.0.1', port: 0 });
  expect(await handled(phone)).toMatchObject([{ effect: 'ticket' }]);
  expect(await handled(leaver)).toMatchObject([{ effect: 'opt_out' }]);
});

test('a reply without a workflow is found without a restart, and its workflow is started once', async () => {
  const insertUnstarted = async (): Promise<number> => {
    const [{ id }] = await sql<[{ id: number }]>`
      insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text)
      values (${providerId}, ${`SMlost${Math.random()}`}, '+5511955550000', '', '') returning id`;
    return id;
  };
  const first = await insertUnstarted();
  const started: number[] = [];
  let refusals = 0;
  let isDown = true;
  const starts = createReplyStarts({
    sql,
    temporal: {
      async startReply(id) {
        if (isDown) {
          refusals++;
          throw new ApiError('temporal_unavailable');
        }
        started.push(id);
      },
    },
    log: pino({ level: 'silent' }),
    checkEveryMs: 20,
    firstRetryMs: 20,
  });
  onTestFinished(() => starts.close());
  starts.lookRegularly();
  await until('two attempts have failed', () => refusals > 1);
  isDown = false;
  await until('the first one is started', () => started.length > 0);
  // A later query finds it, together with the first one.
  const second = await insertUnstarted();
  await until('the second one is started', () => started.includes(second));
  expect(started).toEqual([first, second]);
});

async function appOn({ sql, box, gateway }: System, temporal: System['temporal']) {
  const app = await buildApp({
    sql,
    box,
    temporal,
    logger: pino({ level: 'silent' }),
    sms: {
      publicUrl: apiUrl,
      sandboxUrl: gateway.url,
      sendTimeoutMs: 2_000,
      connections: 1,
      connect: connectAnywhere,
      tokens: localTokens,
    },
    outgoing: localOutgoing,
    webservice: localWebservice,
    uploadLimitBytes: 1024,
  });
  onTestFinished(() => app.close());
  return app;
}
