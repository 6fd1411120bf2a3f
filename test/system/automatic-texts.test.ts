import { beforeEach, expect, test } from 'vitest';
import {
  getAutomaticTexts,
  lockAutomaticTexts,
  saveAutomaticTexts,
} from '../../db/replies/automatic-texts.ts';
import { automaticTexts } from '../../domain/automatic-texts.ts';
import { callbackPath } from '../../domain/provider.ts';
import { createProvider, mailing, phoneOf, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createTicketCatalog, onReply } from '../kit/tickets.ts';
import { until } from '../kit/until.ts';
import { inboundForm, postSigned } from '../kit/webhooks.ts';
import { createWholeSystem } from '../kit/whole-system.ts';

const system = await createWholeSystem();
const { sql, gateway, client, app, publicUrl } = system;
const providerId = await createProvider(system);
const { ended } = createRunProbe(system);
const ticketPolicy = onReply(await createTicketCatalog(sql));

const write = (texts: object) =>
  sql.begin(async (tx) => {
    await lockAutomaticTexts(tx);
    await saveAutomaticTexts(tx, automaticTexts.parse(texts));
  });
beforeEach(() => write({}));

let phones = 500_000;
/** The phone of a customer who has received a message. */
async function customer(): Promise<string> {
  const phone = phoneOf(++phones);
  await ended(
    await startRun(system, { mailing: mailing(1).replace(phoneOf(1), phone), providerId, ticketPolicy }),
  );
  return phone;
}
const textsTo = async (phone: string) =>
  (await gateway.taken()).filter(({ to }) => to === phone).map(({ body }) => body);
const handled = (phone: string, count: number) =>
  until(`${count} replies are handled`, async () => {
    const rows = await sql`select from inbound_messages where phone = ${phone} and handled_at is not null`;
    return rows.count === count;
  });
const delivered = (phone: string) =>
  until('the text is delivered', async () => {
    const [row] = await sql<{ id: number; status: string; inboundMessageId: number }[]>`
      select id, status, inbound_message_id from answers where phone = ${phone}`;
    return row?.status === 'delivered' && row;
  });

test('SAIR is confirmed by one text when the provider repeats the reply, and nothing more is sent', async () => {
  await write({ optOut: 'Descadastrado.', help: 'Ligue.' });
  const phone = await customer();
  const form = inboundForm({ From: phone, Body: 'SAIR' });
  const url = callbackPath(providerId, 'inbound');
  for (let i = 0; i < 2; i++)
    expect((await postSigned(app, url, form, { apiUrl: publicUrl })).statusCode).toBe(204);
  const { id, inboundMessageId } = await delivered(phone);
  await gateway.reply(phone, 'AJUDA');
  await gateway.reply(phone, 'SAIR');
  await handled(phone, 3);
  expect((await textsTo(phone)).slice(1)).toEqual(['Descadastrado.']);
  const workflowId = `reply/${inboundMessageId}/answer/${id}`;
  expect(await client.workflow.getHandle(workflowId).result()).toBe('sent');
  const history = JSON.stringify(await client.workflow.getHandle(workflowId).fetchHistory());
  expect(history).not.toContain(phone.slice(1));
  expect(history).not.toContain('Descadastrado');
});

test('2VIA opens a ticket in its department and is answered, and AJUDA is answered once', async () => {
  const { departmentId, subcategoryId } = await createTicketCatalog(sql);
  const keywords = [{ words: ['2VIA'], text: 'Segue em instantes.', departmentId, subcategoryId }];
  await write({ help: 'Ligue 0800.', keywords });
  const [phone, other] = [await customer(), await customer()];
  await gateway.reply(phone, '2 via');
  await delivered(phone);
  expect(await sql`select department_id, subcategory_id from tickets where phone = ${phone}`).toEqual([
    { departmentId, subcategoryId },
  ]);
  expect((await textsTo(phone)).slice(1)).toEqual(['Segue em instantes.']);
  for (let i = 1; i <= 2; i++) {
    await gateway.reply(other, 'AJUDA');
    await handled(other, i);
  }
  await delivered(other);
  expect((await textsTo(other)).slice(1)).toEqual(['Ligue 0800.']);
});

test('no text is sent until one is configured', async () => {
  expect(await getAutomaticTexts(sql)).toEqual({ optOut: '', help: '', keywords: [] });
  const phone = await customer();
  for (const [index, text] of ['2VIA', 'AJUDA', 'SAIR'].entries()) {
    await gateway.reply(phone, text);
    await handled(phone, index + 1);
  }
  expect(await sql`select from answers where phone = ${phone}`).toEqual([]);
  expect(await textsTo(phone)).toHaveLength(1);
});
