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

/** A run that has written to these phones, and not yet to those behind `sent`. */
async function runOf(to: string[], { sent = to.length, providerId = catalog.providerId, changes = {} } = {}) {
  const run = await createRun(api, { ...catalog, providerId }, { phones: to, changes });
  const sidOf = (id: number): string => `SM${String(id).padStart(32, '0')}`;
  if (sent > 0) await recordSent(sql, { runId: run.runId, count: sent, sidOf });
  return run;
}

/** Has a person write to us, and the reply handled as the workflow does. */
async function receive(form: Form, { providerId = catalog.providerId } = {}): Promise<number> {
  const whole = inboundForm(form);
  const answer = await postSigned(app, `/webhooks/providers/${providerId}/inbound`, whole);
  expect(answer.statusCode).toBe(204);
  const [row] = await sql<{ id: number }[]>`
    select id from inbound_messages where provider_message_id = ${String(whole['MessageSid'])}`;
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
  test('answers the newest message that was sent to its phone', async () => {
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

  test('answers a message whose sender is still waiting for the answer of the provider', async () => {
    const phone = newPhone();
    const { runId, messageIds } = await createRun(api, catalog, { phones: [phone] });
    await claimLines(sql, { runId, sender: 'slow', from: 1, lines: 10 });
    expect((await read(await receive({ From: phone }))).reply).toMatchObject({ messageId: messageIds[0] });
  });

  test('answers a message whose receipt comes after it, and whose sender never writes an outcome', async () => {
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

  test('answers a message of the provider that delivers it, or of one that sends under the same number', async () => {
    const provider = async (from: string) => {
      const config = { ...sandboxProvider.config, from };
      const made = await as('admin')('POST', '/api/providers', {
        name: `From ${from} ${++phones}`,
        config,
        secrets: sandboxProvider.secrets,
      });
      return made.json<{ id: number }>().id;
    };
    const [one, twin, other] = [
      await provider('+5511977770000'),
      await provider('+5511977770000'),
      await provider('28123'),
    ];
    const phone = newPhone();
    const ofTwin = await runOf([phone], { providerId: twin });
    await runOf([phone], { providerId: other });
    const id = await receive({ From: phone, To: '5511977770000' }, { providerId: one });
    expect((await read(id)).reply).toMatchObject({ messageId: ofTwin.messageIds[0] });
  });

  test('of a phone that nobody has written to is kept and shown', async () => {
    const id = await receive({ From: newPhone(), Body: 'Alô?' });
    const unmatched = await as('viewer')('GET', '/api/replies?unmatched=true');
    const [first] = unmatched.json<{ replies: object[] }>().replies;
    expect(first).toMatchObject({ id, text: 'Alô?', effect: 'none', messageId: null, campaignId: null });
  });

  test('that comes long after our last message answers none', async () => {
    const phone = newPhone();
    const { messageIds } = await runOf([phone]);
    await sql`update messages set sending_at = now() - interval '31 days' where id = any(${messageIds}::bigint[])`;
    expect((await read(await receive({ From: phone }))).reply).toMatchObject({ messageId: null });
  });

  test('answers no message that was sent after it', async () => {
    const phone = newPhone();
    const { messageIds } = await runOf([phone]);
    await sql`update messages set sending_at = now() + interval '1 minute' where id = any(${messageIds}::bigint[])`;
    expect((await read(await receive({ From: phone }))).reply).toMatchObject({ messageId: null });
  });

  test('is kept and handled once, however often the provider repeats it', async () => {
    const phone = newPhone();
    const { runId } = await runOf([phone], { changes: { ticketPolicy } });
    const form = inboundForm({ From: phone });
    const path = `/webhooks/providers/${catalog.providerId}/inbound`;
    // The same message in other words: Twilio may add a field to a repetition.
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
    ['as people in Brazil write it', (phone: string) => `0${phone.slice(3)}`],
  ])('is matched when the provider gives the number %s', async (_, written) => {
    const phone = newPhone();
    const { messageIds } = await runOf([phone]);
    const id = await receive({ From: written(phone) });
    expect((await read(id)).reply).toMatchObject({ phone, messageId: messageIds[0] });
  });

  test('of a sender that is no phone is kept as it came', async () => {
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

  test('is answered for when its campaign has been disabled since', async () => {
    const phone = newPhone();
    const { runId, campaignId } = await runOf([phone], { changes: { ticketPolicy } });
    await sql`update campaigns set enabled = false, definition = definition || '{"ticketPolicy": {"when": "never"}}' where id = ${campaignId}`;
    expect((await read(await receive({ From: phone }))).reply).toMatchObject({ effect: 'ticket' });
    expect(await ticketsOf(runId)).toHaveLength(1);
  });
});

describe('an opt-out', () => {
  test('is in effect at once in every run that is under way, and opens no ticket', async () => {
    const [phone, other] = [newPhone(), newPhone()];
    const answered = await runOf([phone], { changes: { ticketPolicy } });
    const waiting = await runOf([other, phone, newPhone()], { sent: 1 });
    const { reply } = await read(await receive({ From: phone, Body: 'S.A.I.R!' }));
    expect(reply).toMatchObject({ effect: 'opt_out', runId: answered.runId, ticketId: null });
    expect(await statusesOf(waiting.runId)).toEqual(['sent', 'skipped: opted_out', 'queued']);
    await expectCountsToMatchRows(sql, waiting.runId);
    expect(await ticketsOf(answered.runId)).toHaveLength(0);
  });

  test('is in effect before anybody has handled the reply, and in the order in which they came', async () => {
    const [phone, changed] = [newPhone(), newPhone()];
    const waiting = await runOf([phone, changed], { sent: 0 });
    const write = async (From: string, Body: string) => {
      const url = `/webhooks/providers/${catalog.providerId}/inbound`;
      expect((await postSigned(app, url, inboundForm({ From, Body }))).statusCode).toBe(204);
    };
    await write(phone, 'Sair.');
    await write(changed, 'pare');
    await write(changed, 'voltar');
    expect(await statusesOf(waiting.runId)).toEqual(['skipped: opted_out', 'skipped: opted_out']);
    await expectCountsToMatchRows(sql, waiting.runId);
    const later = await createRun(api, catalog, { phones: [phone, changed] });
    await claimLines(sql, { runId: later.runId, sender: 'test', from: 1, lines: 10 });
    expect(await statusesOf(later.runId)).toEqual(['skipped: opted_out', 'queued']);
    // Handled in another order, they stay what they are.
    const rows = await sql<{ id: number }[]>`
      select id from inbound_messages where phone = ${changed} order by id desc`;
    for (const { id } of rows) await handling.handleReply({ inboundMessageId: id });
    expect((await sql`select from opt_outs where phone = ${changed}`).count).toBe(0);
  });

  test('of a phone that nobody has written to counts, too', async () => {
    const phone = newPhone();
    await receive({ From: phone, Body: 'Saír' });
    const later = await createRun(api, catalog, { phones: [phone] });
    await claimLines(sql, { runId: later.runId, sender: 'test', from: 1, lines: 10 });
    expect(await statusesOf(later.runId)).toEqual(['skipped: opted_out']);
  });

  test.each([
    ['without the ninth digit', (digits: string) => `55${digits.slice(0, 2)}${digits.slice(3)}`],
    ['without it, with a +', (digits: string) => `+55${digits.slice(0, 2)}${digits.slice(3)}`],
    ['without it and without the country', (digits: string) => digits.slice(0, 2) + digits.slice(3)],
    ['with a trunk 0', (digits: string) => `0${digits}`],
    ['as a URI', (digits: string) => `tel:+55${digits}`],
  ])('of a phone that the provider writes %s is one of the phone that was written to', async (_, written) => {
    // One that had eight digits once, the first of them 6 to 9.
    const phone = `+55119${String(80_000_000 + ++phones)}`;
    const made = await as('operator')('POST', '/api/customers', { mobile: phone });
    const answered = await runOf([phone], { changes: { ticketPolicy } });
    const waiting = await runOf([phone], { sent: 0 });
    const From = written(phone.slice(3));
    const { reply } = await read(await receive({ From, Body: 'SAIR' }));
    expect(reply).toMatchObject({ phone, effect: 'opt_out', runId: answered.runId });
    expect(await statusesOf(waiting.runId)).toEqual(['skipped: opted_out']);
    const found = await as('viewer')('GET', `/api/opt-outs?phone=${encodeURIComponent(From)}`);
    expect(found.json()).toMatchObject({ optOuts: [{ phone }] });
    const customer = await as('viewer')('GET', `/api/customers/${made.json<{ id: number }>().id}/consents`);
    expect(customer.json()).toMatchObject({ consents: [{ consent: 'refused', sandbox: true }] });
    const searched = await as('viewer')('GET', `/api/replies?phone=${encodeURIComponent(From)}`);
    expect(searched.json()).toMatchObject({ replies: [{ phone }] });
  });

  test('is a refusal of consent by the customer whose phone it is, and opting in a grant', async () => {
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

  test('is taken back by the person', async () => {
    const phone = newPhone();
    await receive({ From: phone, Body: 'PARAR' });
    expect((await read(await receive({ From: phone, Body: 'voltar' }))).reply).toMatchObject({
      effect: 'opt_in',
    });
    const later = await runOf([phone]);
    expect(await statusesOf(later.runId)).toEqual(['sent']);
  });

  test('is not what says more than the word: that holds the phone, and opens a ticket', async () => {
    const phone = newPhone();
    const { runId } = await runOf([phone], { changes: { ticketPolicy } });
    expect((await read(await receive({ From: phone, Body: 'sair da promoção' }))).reply).toMatchObject({
      effect: 'probable_opt_out',
    });
    expect(await ticketsOf(runId)).toHaveLength(1);
  });
});

describe('a word that the message itself offers', () => {
  const template = 'Ola {nome}, responda CONFIRMAR ou CANCELAR';
  /** Its messages have that text. */
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

  test('opts out and opens the ticket', async () => {
    const phone = newPhone();
    await as('operator')('POST', '/api/customers', { mobile: phone });
    const { runId, waiting } = await offering(phone);
    const { reply } = await read(await receive({ From: phone, Body: 'Cancelar' }));
    expect(reply).toMatchObject({ effect: 'opt_out', runId, ticketId: expect.any(Number) as number });
    expect(await statusesOf(waiting)).toEqual(['skipped: opted_out']);
    expect(await ticketsOf(runId)).toHaveLength(1);
    // A word that it does not offer opens none.
    const other = newPhone();
    const { runId: second } = await offering(other);
    expect((await read(await receive({ From: other, Body: 'SAIR' }))).reply).toMatchObject({
      ticketId: null,
    });
    expect(await ticketsOf(second)).toHaveLength(0);
  });

  test('and the campaign declares as an answer opens the ticket and does not opt out', async () => {
    const phone = newPhone();
    const { runId, waiting } = await offering(phone, { answers: ['CONFIRMAR', 'CANCELAR'] });
    const { reply } = await read(await receive({ From: phone, Body: 'cancelar!' }));
    expect(reply).toMatchObject({ effect: 'ticket', runId });
    expect(await statusesOf(waiting)).toEqual(['queued']);
    expect(await ticketsOf(runId)).toHaveLength(1);
    // Other words opt out as ever, and so does this one once the newest message is another.
    await runOf([phone]);
    expect((await read(await receive({ From: phone, Body: 'cancelar' }))).reply).toMatchObject({
      effect: 'opt_out',
    });
  });
});

test('a call for help is shown as one, and opens the ticket as any answer does', async () => {
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

  test('is filtered by campaign, run, phone and effect, and comes in pages', async () => {
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

  test('can be taken home as a CSV file', async () => {
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

  test('says what is wrong with a filter', async () => {
    const answer = await as('viewer')('GET', '/api/replies?phone=abc&effect=love&runId=0&color=red');
    expect(answer.statusCode).toBe(400);
    expect(
      errorOf(answer)
        .problems?.map(({ field }) => field)
        .toSorted(),
    ).toEqual(['color', 'effect', 'phone', 'runId']);
  });

  test('is for those who have logged in', async () => {
    for (const url of ['/api/replies', '/api/replies.csv', '/api/replies/1']) {
      expect((await app.inject({ url })).statusCode).toBe(401);
    }
    expect((await as('viewer')('GET', '/api/replies/999999')).statusCode).toBe(404);
  });

  test('stands beside its message, too', async () => {
    const phone = newPhone();
    const { messageIds } = await runOf([phone]);
    const ids = [await receive({ From: phone, Body: 'a' }), await receive({ From: phone, Body: 'b' })];
    const answer = await as('viewer')('GET', `/api/messages/${messageIds[0] ?? 0}`);
    expect(answer.json<{ replies: { id: number }[] }>().replies.map(({ id }) => id)).toEqual(
      ids.toReversed(),
    );
  });
});
