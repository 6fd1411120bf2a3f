import { describe, expect, test } from 'vitest';
import { createReplies } from '../../activities/replies.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { claimLines, claimMessage } from '../../db/messages/claims.ts';
import { optOutPhone, optOutRecipients } from '../../db/customers/opt-outs.ts';
import { box, createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { recordSent } from '../kit/sending.ts';
import { createTicketCatalog, onReply } from '../kit/tickets.ts';
import { inboundForm, postSigned } from '../kit/webhooks.ts';

/**
 * Anyone who can use the console can use virtual phones. Their replies affect only the sandbox, and never change what a
 * customer, an admin or a real provider has recorded.
 */
const api = await createApi();
const { app, sql, as } = api;
const [viewer, operator, admin] = [as('viewer'), as('operator'), as('admin')];
const catalog = await createCatalog(api);
/** A real provider whose callbacks are signed like those of the sandbox: both use Twilio's API. */
const realProvider = await admin('POST', '/api/providers', {
  name: 'Twilio',
  config: { kind: 'twilio', accountSid: `AC${'0123456789abcdef'.repeat(2)}`, from: '+5511999990000' },
  secrets: { kind: 'twilio', authToken: 'the-token' },
});
const realId = realProvider.json<{ id: number }>().id;
const realCatalog = { ...catalog, providerId: realId };
const handling = createReplies({ sql, replyWindowDays: 30, phoneHash: createPhoneHashing({ sql, box }) });

let phones = 0;
const newPhone = () => `+55119${String(40_000_000 + ++phones)}`;
async function receive(providerId: number, From: string, Body: string): Promise<number> {
  const form = inboundForm({ From, Body });
  const answer = await postSigned(app, `/webhooks/providers/${providerId}/inbound`, form);
  expect(answer.statusCode).toBe(204);
  const [row] = await sql<{ id: number }[]>`
    select id from inbound_messages where provider_message_id = ${String(form['MessageSid'])}`;
  await handling.handleReply({ inboundMessageId: row?.id ?? 0 });
  return row?.id ?? 0;
}
const receiveInSandbox = (phone: string, text: string) => receive(catalog.providerId, phone, text);
const optOutsOf = async (phone: string) =>
  (await viewer('GET', `/api/opt-outs?phone=${phone.slice(1)}`)).json<{
    optOuts: { id: number; source: string; sandbox: boolean }[];
  }>().optOuts;
/** The status of the first message of a run after a sender has claimed it. */
async function statusAfterClaim(which: typeof catalog, phone: string): Promise<string> {
  const { runId } = await createRun(api, which, { phones: [phone] });
  await claimLines(sql, { runId, sender: 's#1', from: 1, lines: 10 });
  return Object.keys(await expectCountsToMatchRows(sql, runId)).join();
}
async function newCustomer(phone: string): Promise<number> {
  return (await operator('POST', '/api/customers', { mobile: phone })).json<{ id: number }>().id;
}
const consentOf = async (id: number) =>
  (await viewer('GET', `/api/customers/${id}`)).json<{ consent: string; optedOut: boolean }>();

describe('an opt-out', () => {
  test('that an admin added cannot be removed by a reply from a virtual phone', async () => {
    const phone = newPhone();
    await admin('POST', '/api/opt-outs', { phone, note: 'called us' });
    const [optOut] = await optOutsOf(phone);
    expect((await operator('POST', `/api/opt-outs/${optOut?.id}/remove`, { note: 'x' })).statusCode).toBe(
      403,
    );
    await receiveInSandbox(phone, 'VOLTAR');
    expect(await optOutsOf(phone)).toEqual([optOut]);
    expect(await statusAfterClaim(realCatalog, phone)).toBe('skipped: opted_out');
    expect(await statusAfterClaim(catalog, phone)).toBe('skipped: opted_out');
  });

  test('by a real reply can be removed only by a real reply', async () => {
    const phone = newPhone();
    await receive(realId, phone, 'SAIR');
    await receiveInSandbox(phone, 'SAIR');
    await receiveInSandbox(phone, 'VOLTAR');
    expect(await optOutsOf(phone)).toMatchObject([{ source: 'reply', sandbox: false }]);
    expect(await statusAfterClaim(realCatalog, phone)).toBe('skipped: opted_out');
    await receive(realId, phone, 'VOLTAR');
    expect(await statusAfterClaim(realCatalog, phone)).toBe('queued');
  });

  test('of a virtual phone blocks messages of the sandbox only', async () => {
    const phone = newPhone();
    const realRun = await createRun(api, realCatalog, { phones: [phone] });
    const inSandboxRun = await createRun(api, catalog, { phones: [phone] });
    const id = await newCustomer(phone);
    await receiveInSandbox(phone, 'SAIR');
    expect(await expectCountsToMatchRows(sql, realRun.runId)).toEqual({ queued: 1 });
    expect(await expectCountsToMatchRows(sql, inSandboxRun.runId)).toEqual({ 'skipped: opted_out': 1 });
    expect(await statusAfterClaim(realCatalog, phone)).toBe('queued');
    expect(await statusAfterClaim(catalog, phone)).toBe('skipped: opted_out');
    expect(await optOutsOf(phone)).toMatchObject([{ source: 'reply', sandbox: true }]);
    expect(await consentOf(id)).toMatchObject({ optedOut: false, consent: 'not_stated' });
    const single = await createRun(api, realCatalog, { phones: [phone] });
    const [messageId = 0] = single.messageIds;
    expect(await claimMessage(sql, { messageId, sender: 's#1', providerId: realId })).not.toBeNull();
    await receiveInSandbox(phone, 'VOLTAR');
    expect(await statusAfterClaim(catalog, phone)).toBe('queued');
  });

  test('recorded for both the sandbox and real providers skips a message once', async () => {
    const phone = newPhone();
    await optOutPhone(sql, { phone, source: 'reply' });
    await optOutPhone(sql, { phone, source: 'reply', sandbox: true });
    expect(await statusAfterClaim(catalog, phone)).toBe('skipped: opted_out');
    expect(await optOutsOf(phone)).toHaveLength(2);
  });

  test('reported by the sandbox belongs to the sandbox, and one reported by a real provider does not', async () => {
    const [virtualPhone, realPhone] = [newPhone(), newPhone()];
    await optOutRecipients(sql, (await createRun(api, catalog, { phones: [virtualPhone] })).messageIds);
    await optOutRecipients(sql, (await createRun(api, realCatalog, { phones: [realPhone] })).messageIds);
    expect(await optOutsOf(virtualPhone)).toMatchObject([{ source: 'provider', sandbox: true }]);
    expect(await optOutsOf(realPhone)).toMatchObject([{ source: 'provider', sandbox: false }]);
  });

  test('of a virtual phone does not stop a test send through a real provider', async () => {
    const phone = newPhone();
    await receiveInSandbox(phone, 'SAIR');
    const { campaignId } = await createRun(api, catalog);
    const send = (providerId: number) =>
      operator('POST', `/api/campaigns/${campaignId}/test-send`, { phone, providerId });
    expect(errorOf(await send(catalog.providerId)).code).toBe('opted_out');
    await optOutPhone(sql, { phone, source: 'reply' });
    expect(errorOf(await send(realId)).code).toBe('opted_out');
  });
});

describe('consent', () => {
  test.each(['granted', 'refused', 'not_stated'] as const)(
    '%s is not changed by replies from a virtual phone',
    async (consent) => {
      const phone = newPhone();
      const id = await newCustomer(phone);
      await operator('POST', `/api/customers/${id}/consents`, { consent, note: 'signed' });
      const { runId } = await createRun(api, realCatalog, { phones: [phone] });
      await sql`update messages set customer_id = ${id} where run_id = ${runId}`;
      for (const word of ['SAIR', 'VOLTAR', 'PARE']) await receiveInSandbox(phone, word);
      expect(await consentOf(id)).toMatchObject({ consent });
      expect(await expectCountsToMatchRows(sql, runId)).toEqual({ queued: 1 });
      // The replies are listed, marked as sandbox.
      const { consents } = (await viewer('GET', `/api/customers/${id}/consents`)).json<{
        consents: { consent: string; sandbox: boolean }[];
      }>();
      expect(consents.map((one) => [one.consent, one.sandbox])).toEqual([
        ['refused', true],
        ['granted', true],
        ['refused', true],
        [consent, false],
      ]);
    },
  );

  test('is changed by a real reply', async () => {
    const phone = newPhone();
    const id = await newCustomer(phone);
    await receive(realId, phone, 'SAIR');
    expect(await consentOf(id)).toMatchObject({ consent: 'refused', optedOut: true });
  });
});

test('a reply from a virtual phone matches no message of a real provider, even with the same sender number', async () => {
  const phone = newPhone();
  const ticketPolicy = onReply(await createTicketCatalog(sql));
  const { runId, messageIds } = await createRun(api, realCatalog, {
    phones: [phone],
    changes: { ticketPolicy },
  });
  await recordSent(sql, { runId, count: 1, sidOf: (id) => `SM${String(id).padStart(32, '0')}` });
  const reply = await receiveInSandbox(phone, 'Oi');
  const shown = await viewer('GET', `/api/replies/${reply}`);
  expect(shown.json()).toMatchObject({ reply: { messageId: null, effect: 'none' } });
  expect(await sql`select from tickets where run_id = ${runId}`).toHaveLength(0);
  const own = await receive(realId, phone, 'Oi');
  const answered = await viewer('GET', `/api/replies/${own}`);
  expect(answered.json()).toMatchObject({ reply: { messageId: messageIds[0], effect: 'ticket' } });
});
