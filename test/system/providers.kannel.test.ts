import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { freePort } from '../../embedded/ports.ts';
import { box, createApi, createCatalogue, createReadyCampaign, documentOf } from '../kit/api.ts';
import { hasKannel, startKannel, startOperator } from '../kit/kannel.ts';
import { until } from '../kit/until.ts';
import { startWorkers } from '../kit/workers.ts';

test.skipIf(!hasKannel)(
  'a campaign through Kannel to an SMPP operator: sends, receipts and an opt-out by reply',
  { timeout: 120_000 },
  async () => {
    const operator = await startOperator();
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const api = await createApi({ publicUrl });
    const { as, sql, taskQueue } = api;
    await api.app.listen({ host: '127.0.0.1', port });
    await startWorkers({ sql, box, taskQueue, publicUrl, sandboxUrl: 'http://127.0.0.1:1' });

    // As docs/providers.md says, from the examples.
    const sendsmsPort = await freePort();
    const password = 'p&ss w=rd%';
    const example = (await readFile('examples/kannel-provider.json', 'utf8')).replace(
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
    await startKannel({ operatorPort: operator.port, sendsmsPort, password, inboundUrl });
    await until('Kannel is bound to the operator', operator.isBound);

    // Numbers that end in 0 are delivered, in 1 can't be reached, in 2 are refused.
    const message = { template: 'Olá {nome}: 100% você & eu', providerId, removeAccents: false };
    const document = documentOf({ ...(await createCatalogue(api)), providerId }, { message });
    const campaignId = await createReadyCampaign(api, document, { lines: 3 });
    expect((await as('operator')('POST', `/api/campaigns/${campaignId}/enable`)).statusCode).toBe(200);
    const started = await as('operator')('POST', `/api/campaigns/${campaignId}/run-now`);
    const { runId } = started.json<{ runId: number }>();
    const statuses = async () =>
      (
        await sql<{ status: string }[]>`select status from messages where run_id = ${runId} order by line`
      ).map(({ status }) => status);
    await until('all receipts are here', async () => {
      const now = await statuses();
      return now.length === 3 && now.every((status) => !['queued', 'sending', 'sent'].includes(status));
    });
    expect(await statuses()).toEqual(['delivered', 'undelivered', 'failed']);
    expect(operator.taken.find(({ to }) => to.endsWith('0'))).toMatchObject({
      from: '28282',
      text: 'Olá Maria 1: 100% você & eu',
      // UCS-2: there are accents in it that GSM-7 does not have.
      dataCoding: 8,
    });

    operator.write('5511900000000', '28282', 'Saír!');
    const reply = await until('the reply has been handled', async () => {
      const [row] =
        await sql`select phone, text, effect, run_id from inbound_messages where handled_at is not null`;
      return row;
    });
    expect(reply).toEqual({ phone: '+5511900000000', text: 'Saír!', effect: 'opt_out', runId });
  },
);
