import { describe, expect, test } from 'vitest';
import { createReplies } from '../../activities/replies.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { claimLines } from '../../db/messages/claims.ts';
import { applyReceipts } from '../../db/messages/receipts.ts';
import { box, createApi, createCatalog, createRun, errorOf, sandboxProvider } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { recordSent } from '../kit/sending.ts';
import { createTicketCatalog, onReply } from '../kit/tickets.ts';
import { type Form, inboundForm, postSigned } from '../kit/webhooks.ts';

const api = await createApi();
const { app, sql, as } = api;
const catalog = await createCatalog(api);
const ticketPolicy = onReply(await createTicketCatalog(sql));
const handling = createReplies({
  sql,
  replyWindowDays: 30,
  phoneHash: createPhoneHashing({ sql, box }),
});

let phones = 0;
const newPhone = () => `+55119${String(20_000_000 + ++phones)}`;

/** A run whose first `sent` messages have been sent to these phones. */
async function runOf(to: string[], { sent = to.length, providerId = catalog.providerId, changes = {} } = {}) {
  const run = await createRun(api, { ...catalog, providerId }, { phones: to, changes });
  const sidOf = (id: number): string => `SM${String(id).padStart(32, '0')}`;
  if (sent > 0) await recordSent(sql, { runId: run.runId, count: sent, sidOf });
  return run;
}

/** Receives a reply and handles it as the reply workflow does. */
async function receive(form: Form, { providerId = catalog.providerId } = {}): Promise<number> {
  const completeForm = inboundForm(form);
  const answer = await postSigned(app, `/webhooks/providers/${providerId}/inbound`, completeForm);
  expect(answer.statusCode).toBe(204);
  const [row] = await sql<{ id: number }[]>`
    select id from inbound_messages where provider_message_id = ${String(completeForm['MessageSid'])}`;
  if (!row) throw new Error('The reply was not kept.');
  await handling.handleReply({ inboundMessageId: row.id });
  return row.id;
}
const read = async (id: number) =>
  (await as('viewer')('GET', `/api/replies/${id}`)).json<{
    reply: Record<string, unknown>;
    message: Record<string, unknown> | null;
  }>();
const ticketsOf = (runId: number) => sql`select id from tickets where run_id = ${runId}`;
const statusesOf = async (runId: number) =>
  (await sql`select status, reason from messages where run_id = ${runId} order by line`).map(
    ({ status, reason }) => (reason === null ? String(status) : `${String(status)}: ${String(reason)}`),
  );

describe('an incoming message', () => {
  test('is matched to the newest message that was sent to its phone', async () => {
    const phone = newPhone();
    await runOf([phone]);
    const newest = await runOf([phone]);
    await runOf([phone], { sent: 0 });
    const { reply, message } = await read(await receive({ From: phone, Body: 'Oi! 👍' }));
    expect(reply).toMatchObject({
      phone,
      recipient: '+5511999990000',
      text: 'Oi! 👍',
      effect: 'none',
      messageId: newest.messageIds[0],
      runId: newest.runId,
      campaignId: newest.campaignId,
      ticketId: null,
    });
    expect(message).toMatchObject({ id: newest.messageIds[0], text: 'Ola Maria 1' });
  });

  test('is matched to a message whose sender is still waiting for the provider', async () => {
    const phone = newPhone();
    const { runId, messageIds } = await createRun(api, catalog, { phones: [phone] });
    await claimLines(sql, { runId, sender: 'slow', from: 1, lines: 10 });
    expect((await read(await receive({ From: phone }))).reply).toMatchObject({ messageId: messageIds[0] });
  });

  test('is matched to a message whose receipt arrives later and whose sender never records an outcome', async () => {
    const phone = newPhone();
    const { runId, messageIds } = await createRun(api, catalog, {
      phones: [phone],
      changes: { ticketPolicy },
    });
    await claimLines(sql, { runId, sender: 'killed', from: 1, lines: 10 });
    const form = inboundForm({ From: phone });
    await postSigned(app, `/webhooks/providers/${catalog.providerId}/inbound`, form);
    await applyReceipts(sql, [
      {
        providerId: catalog.providerId,
        messageId: messageIds[0] ?? 0,
        providerMessageId: 'SM1',
        status: 'delivered',
        reason: null,
        providerCode: null,
      },
    ]);
    const [row] = await sql<{ id: number }[]>`select id from inbound_messages where phone = ${phone}`;
    await handling.handleReply({ inboundMessageId: row?.id ?? 0 });
    expect((await read(row?.id ?? 0)).reply).toMatchObject({ messageId: messageIds[0], effect: 'ticket' });
    expect(await ticketsOf(runId)).toHaveLength(1);
  });

  test('is matched to a message of its own provider or of one with the same sender number', async () => {
    const provider = async (from: string) => {
      const config = { ...sandboxProvider.config, from };
      const made = await as('admin')('POST', '/api/providers', {
        name: `From ${from} ${++phones}`,
        config,
        secrets: sandboxProvider.secrets,
      });
      return made.json<{ id: number }>().id;
    };
    const [one, sameNumber, other] = [
      await provider('+5511977770000'),
      await provider('+5511977770000'),
      await provider('28123'),
    ];
    const phone = newPhone();
    const runOfSameNumber = await runOf([phone], { providerId: sameNumber });
    await runOf([phone], { providerId: other });
    const id = await receive({ From: phone, To: '5511977770000' }, { providerId: one });
    expect((await read(id)).reply).toMatchObject({ messageId: runOfSameNumber.messageIds[0] });
  });

  test('from a phone without any message is stored and listed as unmatched', async () => {
    const id = await receive({ From: newPhone(), Body: 'Alô?' });
    const unmatched = await as('viewer')('GET', '/api/replies?unmatched=true');
    const [first] = unmatched.json<{ replies: object[] }>().replies;
    expect(first).toMatchObject({ id, text: 'Alô?', effect: 'none', messageId: null, campaignId: null });
  });

  test('that arrives after the reply window matches no message', async () => {
    const phone = newPhone();
    const { messageIds } = await runOf([phone]);
    await sql`update messages set sending_at = now() - interval '31 days' where id = any(${messageIds}::bigint[])`;
    expect((await read(await receive({ From: phone }))).reply).toMatchObject({ messageId: null });
  });

  test('matches no message that was sent after it', async () => {
    const phone = newPhone();
    const { messageIds } = await runOf([phone]);
    await sql`update messages set sending_at = now() + interval '1 minute' where id = any(${messageIds}::bigint[])`;
    expect((await read(await receive({ From: phone }))).reply).toMatchObject({ messageId: null });
  });

  test('is stored and handled once, even if the provider repeats it', async () => {
    const phone = newPhone();
    const { runId } = await runOf([phone], { changes: { ticketPolicy } });
    const form = inboundForm({ From: phone });
    const path = `/webhooks/providers/${catalog.providerId}/inbound`;
    // Twilio may add a field to a repetition.
    const posts = [form, form, { ...form, Repeated: 'yes' }].map((one) => postSigned(app, path, one));
    expect((await Promise.all(posts)).map(({ statusCode }) => statusCode)).toEqual([204, 204, 204]);
    const rows = await sql<{ id: number }[]>`select id from inbound_messages where phone = ${phone}`;
    expect(rows).toHaveLength(1);
    const handled = await Promise.all(
      [1, 2, 3].map(() => handling.handleReply({ inboundMessageId: rows[0]?.id ?? 0 })),
    );
    expect(new Set(handled.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(await ticketsOf(runId)).toHaveLength(1);
  });

  test.each([
    ['without its +', (phone: string) => phone.slice(1)],
    ['in the national format', (phone: string) => `0${phone.slice(3)}`],
  ])('is matched when the provider sends the number %s', async (_, formatPhone) => {
    const phone = newPhone();
    const { messageIds } = await runOf([phone]);
    const id = await receive({ From: formatPhone(phone) });
    expect((await read(id)).reply).toMatchObject({ phone, messageId: messageIds[0] });
  });

  test('of a sender that is not a phone is stored unchanged', async () => {
    const id = await receive({ From: 'Operadora', Body: '' });
    expect((await read(id)).reply).toMatchObject({ phone: 'Operadora', text: '', effect: 'none' });
  });

  test.each([
    ['of ten segments', 'x'.repeat(1_530)],
    ['of emoji', '👍🏽'.repeat(70)],
    ['of nothing', ''],
    ['of spaces', '     '],
    ['with a NUL', 'a\0b'],
  ])('%s opens its ticket', async (_, text) => {
    const phone = newPhone();
    const { runId } = await runOf([phone], { changes: { ticketPolicy } });
    const { reply } = await read(await receive({ From: phone, Body: text }));
    const [ticket] = await ticketsOf(runId);
    expect(reply).toMatchObject({
      text: text.replace('\0', '\ufffd'),
      effect: 'ticket',
      ticketId: Number(ticket?.['id']),
    });
  });

  test('opens its ticket even if its campaign was disabled meanwhile', async () => {
    const phone = newPhone();
    const { runId, campaignId } = await runOf([phone], { changes: { ticketPolicy } });
    await sql`update campaigns set enabled = false, definition = definition || '{"ticketPolicy": {"when": "never"}}' where id = ${campaignId}`;
    expect((await read(await receive({ From: phone }))).reply).toMatchObject({ effect: 'ticket' });
    expect(await ticketsOf(runId)).toHaveLength(1);
  });
});

describe('an opt-out', () => {
  test('takes effect immediately in every active run, and opens no ticket', async () => {
    const [phone, other] = [newPhone(), newPhone()];
    const answeredRun = await runOf([phone], { changes: { ticketPolicy } });
    const waiting = await runOf([other, phone, newPhone()], { sent: 1 });
    const { reply } = await read(await receive({ From: phone, Body: 'S.A.I.R!' }));
    expect(reply).toMatchObject({ effect: 'opt_out', runId: answeredRun.runId, ticketId: null });
    expect(await statusesOf(waiting.runId)).toEqual(['sent', 'skipped: opted_out', 'queued']);
    await expectCountsToMatchRows(sql, waiting.runId);
    expect(await ticketsOf(answeredRun.runId)).toHaveLength(0);
  });

  test('takes effect before the reply is handled, in the order of arrival', async () => {
    const [phone, changed] = [newPhone(), newPhone()];
    const waiting = await runOf([phone, changed], { sent: 0 });
    const receiveUnhandled = async (From: string, Body: string) => {
      const url = `/webhooks/providers/${catalog.providerId}/inbound`;
      expect((await postSigned(app, url, inboundForm({ From, Body }))).statusCode).toBe(204);
    };
    await receiveUnhandled(phone, 'Sair.');
    await receiveUnhandled(changed, 'pare');
    await receiveUnhandled(changed, 'voltar');
    expect(await statusesOf(waiting.runId)).toEqual(['skipped: opted_out', 'skipped: opted_out']);
    await expectCountsToMatchRows(sql, waiting.runId);
    const later = await createRun(api, catalog, { phones: [phone, changed] });
    await claimLines(sql, { runId: later.runId, sender: 'test', from: 1, lines: 10 });
    expect(await statusesOf(later.runId)).toEqual(['skipped: opted_out', 'queued']);
    // Handling the replies in another order changes nothing.
    const rows = await sql<{ id: number }[]>`
      select id from inbound_messages where phone = ${changed} order by id desc`;
    for (const { id } of rows) await handling.handleReply({ inboundMessageId: id });
    expect((await sql`select from opt_outs where phone = ${changed}`).count).toBe(0);
  });

  test('of a phone without any message takes effect too', async () => {
    const phone = newPhone();
    await receive({ From: phone, Body: 'Saír' });
    const later = await createRun(api, catalog, { phones: [phone] });
    await claimLines(sql, { runId: later.runId, sender: 'test', from: 1, lines: 10 });
    expect(await statusesOf(later.runId)).toEqual(['skipped: opted_out']);
  });

  test.each([
    ['without the ninth digit', (digits: string) => `55${digits.slice(0, 2)}${digits.slice(3)}`],
    ['without the ninth digit, with a +', (digits: string) => `+55${digits.slice(0, 2)}${digits.slice(3)}`],
    [
      'without the ninth digit and the country code',
      (digits: string) => digits.slice(0, 2) + digits.slice(3),
    ],
    ['with a trunk 0', (digits: string) => `0${digits}`],
    ['as a URI', (digits: string) => `tel:+55${digits}`],
  ])('of a phone that the provider sends %s applies to the phone of the message', async (_, formatPhone) => {
    // A mobile number whose former eight digits started with 6 to 9.
    const phone = `+55119${String(80_000_000 + ++phones)}`;
    const made = await as('operator')('POST', '/api/customers', { mobile: phone });
    const answeredRun = await runOf([phone], { changes: { ticketPolicy } });
    const waiting = await runOf([phone], { sent: 0 });
    const From = formatPhone(phone.slice(3));
    const { reply } = await read(await receive({ From, Body: 'SAIR' }));
    expect(reply).toMatchObject({ phone, effect: 'opt_out', runId: answeredRun.runId });
    expect(await statusesOf(waiting.runId)).toEqual(['skipped: opted_out']);
    const found = await as('viewer')('GET', `/api/opt-outs?phone=${encodeURIComponent(From)}`);
    expect(found.json()).toMatchObject({ optOuts: [{ phone }] });
    const customer = await as('viewer')('GET', `/api/customers/${made.json<{ id: number }>().id}/consents`);
    expect(customer.json()).toMatchObject({ consents: [{ consent: 'refused', sandbox: true }] });
    const searched = await as('viewer')('GET', `/api/replies?phone=${encodeURIComponent(From)}`);
    expect(searched.json()).toMatchObject({ replies: [{ phone }] });
  });

  test('sets the consent of the customer to refused, and an opt-in sets it to granted', async () => {
    const phone = newPhone();
    const made = await as('operator')('POST', '/api/customers', { name: 'Rui', phone2: phone });
    const { id } = made.json<{ id: number }>();
    await receive({ From: phone, Body: 'SAIR' });
    await receive({ From: phone, Body: 'VOLTAR' });
    const shown = await as('viewer')('GET', `/api/customers/${id}/consents`);
    expect(shown.json()).toMatchObject({
      consents: [
        { consent: 'granted', source: 'reply' },
        { consent: 'refused', source: 'reply' },
      ],
      optOuts: [
        { kind: 'opt_in', source: 'reply' },
        { kind: 'opt_out', source: 'reply' },
      ],
    });
  });

  test('can be revoked by a reply', async () => {
    const phone = newPhone();
    await receive({ From: phone, Body: 'PARAR' });
    expect((await read(await receive({ From: phone, Body: 'voltar' }))).reply).toMatchObject({
      effect: 'opt_in',
    });
    const later = await runOf([phone]);
    expect(await statusesOf(later.runId)).toEqual(['sent']);
  });

  test('is only probable in a longer text, which holds the phone and opens a ticket', async () => {
    const phone = newPhone();
    const { runId } = await runOf([phone], { changes: { ticketPolicy } });
    expect((await read(await receive({ From: phone, Body: 'sair da promoção' }))).reply).toMatchObject({
      effect: 'probable_opt_out',
    });
    expect(await ticketsOf(runId)).toHaveLength(1);
  });
});

describe('an opt-out word that the message itself offers', () => {
  const template = 'Ola {nome}, responda CONFIRMAR ou CANCELAR';
  /** A run whose messages have the text of the template. */
  async function offering(phone: string, message: object = {}) {
    const waiting = await runOf([phone], { sent: 0 });
    const run = await runOf([phone], { changes: { ticketPolicy } });
    await sql`
      update runs set settings = jsonb_set(settings, '{campaign,message}',
        settings #> '{campaign,message}' || ${sql.json({ template, ...message })})
      where id = ${run.runId}`;
    await sql`update messages set text = 'Ola Maria, responda CONFIRMAR ou CANCELAR' where run_id = ${run.runId}`;
    return { ...run, waiting: waiting.runId };
  }

  test('opts out and opens a ticket', async () => {
    const phone = newPhone();
    await as('operator')('POST', '/api/customers', { mobile: phone });
    const { runId, waiting } = await offering(phone);
    const { reply } = await read(await receive({ From: phone, Body: 'Cancelar' }));
    expect(reply).toMatchObject({ effect: 'opt_out', runId, ticketId: expect.any(Number) as number });
    expect(await statusesOf(waiting)).toEqual(['skipped: opted_out']);
    expect(await ticketsOf(runId)).toHaveLength(1);
    // An opt-out word that the message does not offer opens no ticket.
    const other = newPhone();
    const { runId: second } = await offering(other);
    expect((await read(await receive({ From: other, Body: 'SAIR' }))).reply).toMatchObject({
      ticketId: null,
    });
    expect(await ticketsOf(second)).toHaveLength(0);
  });

  test('and that the campaign declares as an answer opens a ticket and does not opt out', async () => {
    const phone = newPhone();
    const { runId, waiting } = await offering(phone, { answers: ['CONFIRMAR', 'CANCELAR'] });
    const { reply } = await read(await receive({ From: phone, Body: 'cancelar!' }));
    expect(reply).toMatchObject({ effect: 'ticket', runId });
    expect(await statusesOf(waiting)).toEqual(['queued']);
    expect(await ticketsOf(runId)).toHaveLength(1);
    // The word opts out again once the newest message is of another campaign.
    await runOf([phone]);
    expect((await read(await receive({ From: phone, Body: 'cancelar' }))).reply).toMatchObject({
      effect: 'opt_out',
    });
  });
});

test('a help request is shown as such, and opens a ticket like any other reply', async () => {
  const [one, other] = [newPhone(), newPhone()];
  const { runId } = await runOf([one], { changes: { ticketPolicy } });
  await runOf([other]);
  expect((await read(await receive({ From: one, Body: 'Ajuda!' }))).reply).toMatchObject({
    effect: 'help',
    ticketId: expect.any(Number) as number,
  });
  expect(await ticketsOf(runId)).toHaveLength(1);
  expect((await read(await receive({ From: other, Body: 'AJUDA' }))).reply).toMatchObject({
    effect: 'help',
    ticketId: null,
  });
});

describe('the list of replies', () => {
  const list = async (query: string) => {
    const answer = await as('viewer')('GET', `/api/replies?${query}`);
    expect(answer.statusCode).toBe(200);
    return answer.json<{ replies: { id: number }[] }>().replies.map(({ id }) => id);
  };

  test('can be filtered by campaign, run, phone and effect, and is paginated', async () => {
    const [one, two] = [newPhone(), newPhone()];
    const run = await runOf([one, two]);
    const ids = [
      await receive({ From: one, Body: '1' }),
      await receive({ From: two, Body: '2' }),
      await receive({ From: one, Body: 'SAIR' }),
    ].toReversed();
    expect(await list(`campaignId=${run.campaignId}`)).toEqual(ids);
    expect(await list(`runId=${run.runId}&limit=2`)).toEqual(ids.slice(0, 2));
    expect(await list(`runId=${run.runId}&limit=2&before=${ids[1]}`)).toEqual(ids.slice(2));
    expect(await list(`runId=${run.runId}&effect=opt_out`)).toEqual(ids.slice(0, 1));
    expect(await list(`phone=${two.slice(1)}`)).toEqual([ids[1]]);
    expect(await list(`runId=${run.runId}&unmatched=true`)).toEqual([]);
    expect(await list(`runId=${run.runId}&unmatched=false`)).toEqual(ids);
  });

  test('can be downloaded as CSV', async () => {
    const phone = newPhone();
    const { runId } = await runOf([phone]);
    await receive({ From: phone, Body: '=1+1; "Olá"' });
    const answer = await as('viewer')('GET', `/api/replies.csv?runId=${runId}`);
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    const [header, line, end] = answer.body.split('\r\n');
    expect(header).toBe(
      '\ufeffid;received_at;phone;recipient;text;effect;campaign_id;campaign;run_id;message_id;ticket_id',
    );
    expect(line).toContain(`;${phone};+5511999990000;"'=1+1; ""Olá""";none;`);
    expect(end).toBe('');
  });

  test('rejects invalid filters with a problem for each', async () => {
    const answer = await as('viewer')('GET', '/api/replies?phone=abc&effect=love&runId=0&color=red');
    expect(answer.statusCode).toBe(400);
    expect(
      errorOf(answer)
        .problems?.map(({ field }) => field)
        .toSorted(),
    ).toEqual(['color', 'effect', 'phone', 'runId']);
  });

  test('requires authentication', async () => {
    for (const url of ['/api/replies', '/api/replies.csv', '/api/replies/1']) {
      expect((await app.inject({ url })).statusCode).toBe(401);
    }
    expect((await as('viewer')('GET', '/api/replies/999999')).statusCode).toBe(404);
  });

  test('of a message is included in the message', async () => {
    const phone = newPhone();
    const { messageIds } = await runOf([phone]);
    const ids = [await receive({ From: phone, Body: 'a' }), await receive({ From: phone, Body: 'b' })];
    const answer = await as('viewer')('GET', `/api/messages/${messageIds[0] ?? 0}`);
    expect(answer.json<{ replies: { id: number }[] }>().replies.map(({ id }) => id)).toEqual(
      ids.toReversed(),
    );
  });
});
