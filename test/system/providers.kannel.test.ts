import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startProxy } from '../../chaos/proxy.ts';
import { freePort } from '../../embedded/ports.ts';
import { box, createApi, createCatalog, createReadyCampaign, documentOf } from '../kit/api.ts';
import { hasKannel, startKannel, startOperator } from '../kit/kannel.ts';
import { until } from '../kit/until.ts';
import { startWorkers } from '../kit/workers.ts';

/** Refuses connections at the port of the API, and resolves after this many attempts. */
async function refuseConnections(port: number, attempts: number): Promise<void> {
  let refused = 0;
  const server = createServer((socket) => {
    refused++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await until('enough connections were refused', () => refused >= attempts);
  await new Promise((resolve) => server.close(resolve));
}

test.skipIf(!hasKannel)(
  'a campaign through Kannel reaches an SMPP operator, and its receipts and replies survive an outage of our API',
  { timeout: 120_000 },
  async () => {
    const operator = await startOperator();
    const port = await freePort();
    let proxy = await startProxy(port);
    const publicPort = proxy.port;
    const publicUrl = `http://127.0.0.1:${publicPort}`;
    const api = await createApi({ publicUrl });
    const { as, sql, taskQueue } = api;
    await api.app.listen({ host: '127.0.0.1', port });
    await startWorkers({ sql, box, taskQueue, publicUrl, sandboxUrl: 'http://127.0.0.1:1' });

    // The setup of docs/providers.md with its example files.
    const sendsmsPort = await freePort();
    const password = 'p&ss w=rd%';
    const example = (await readFile('examples/gateways/kannel.json', 'utf8')).replace(
      '127.0.0.1:13013',
      `127.0.0.1:${sendsmsPort}`,
    );
    const provider = JSON.parse(example) as { secrets: { callbackSecret: string; values: object } };
    const added = await as('admin')('POST', '/api/providers', {
      ...provider,
      secrets: { ...provider.secrets, values: { password } },
    });
    expect(added.statusCode, added.body).toBe(201);
    expect(added.body).not.toContain(provider.secrets.callbackSecret);
    const { id: providerId, callbacks } = added.json<{ id: number; callbacks: { inbound: string } }>();
    const inboundUrl = `${callbacks.inbound}?key=${provider.secrets.callbackSecret}`;
    const kannel = await startKannel({ operatorPort: operator.port, sendsmsPort, password, inboundUrl });
    await until('Kannel is bound to the operator', () => operator.binds() === 1);

    // By the last digit: 0 is delivered, 1 undelivered, 2 refused, 3 expired, and 4 gets its receipt later.
    const message = { template: 'Olá {nome}: 100% você & eu', providerId, removeAccents: false };
    const document = documentOf({ ...(await createCatalog(api)), providerId }, { message });
    const campaignId = await createReadyCampaign(api, document, { lines: 5 });
    expect((await as('operator')('POST', `/api/campaigns/${campaignId}/enable`)).statusCode).toBe(200);
    const started = await as('operator')('POST', `/api/campaigns/${campaignId}/run-now`);
    const { runId } = started.json<{ runId: number }>();
    const messages = async () =>
      await sql`
      select status, reason, provider_code as code from messages where run_id = ${runId} order by line`;
    const read = await until('all receipts but one have arrived', async () => {
      const now = await messages();
      const open = now.filter(({ status }) => ['queued', 'sending', 'sent'].includes(String(status)));
      return now.length === 5 && open.length === 1 && open[0]?.['status'] === 'sent' && now;
    });
    expect(read).toEqual([
      { status: 'delivered', reason: null, code: null },
      { status: 'undelivered', reason: 'not_delivered', code: 'stat:UNDELIV' },
      { status: 'failed', reason: 'number_invalid', code: 'NACK/0x0000000b/' },
      { status: 'undelivered', reason: 'expired_at_carrier', code: 'stat:EXPIRED' },
      { status: 'sent', reason: null, code: null },
    ]);
    expect(operator.taken.find(({ to }) => to.endsWith('0'))).toMatchObject({
      from: '28282',
      text: 'Olá Maria 1: 100% você & eu',
      // UCS-2, because of accents that GSM-7 lacks.
      dataCoding: 8,
    });

    // Kannel is killed while it waits for a receipt, and our API is down when the receipt and a reply arrive.
    await kannel.killBearerbox();
    await until('Kannel is bound to the operator again', () => operator.binds() === 2);
    await proxy.close();
    operator.sendHeldReceipts();
    operator.write('5511900000000', '28282', 'Saír!');
    await refuseConnections(publicPort, 4);
    proxy = await startProxy(port, publicPort);
    onTestFinished(() => proxy.close());

    await until('the receipt has arrived', async () => (await messages())[4]?.['status'] === 'delivered');
    const replies = async () => await sql`select phone, text, effect, run_id from inbound_messages`;
    await until('the reply has been handled', async () => (await replies())[0]?.['effect'] === 'opt_out');
    expect(await replies()).toEqual([{ phone: '+5511900000000', text: 'Saír!', effect: 'opt_out', runId }]);
    // Kannel accepts our answers: it repeated only the calls from the outage.
    const [late] = await sql<
      [{ id: number }]
    >`select max(id)::int as id from messages where run_id = ${runId}`;
    const retried = new Set(
      (await kannel.retried()).map((url) => url.replace(/\?.*&message=/, ' ').split('&')[0]),
    );
    expect([...retried].toSorted()).toEqual([
      expect.stringContaining('/inbound?'),
      expect.stringMatching(new RegExp(`/receipts ${late.id}$`)),
    ]);
  },
);
