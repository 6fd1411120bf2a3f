import { beforeEach, expect, test } from 'vitest';
import { createReplies } from '../../activities/replies.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { optInPhone, optOutPhone } from '../../db/customers/opt-outs.ts';
import { box, createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { createTicketCatalog, onReply } from '../kit/tickets.ts';
import { inboundForm, postSigned } from '../kit/webhooks.ts';

/** Automatic texts: their settings, and which replies they answer. */
const api = await createApi();
const { app, sql, as } = api;
const catalog = await createCatalog(api);
const settings = await createTicketCatalog(sql);
const phoneHash = createPhoneHashing({ sql, box });
const handling = createReplies({ sql, replyWindowDays: 30, phoneHash });
const path = '/api/settings/automatic-texts';
const off = { optOut: '', help: '', keywords: [] };
const put = (texts: object) => as('admin')('PUT', path, texts);
const keyword = (changes: object = {}) => ({ words: ['2VIA'], text: 'Segue.', ...changes });
const refused = async (texts: object) => {
  const answer = await put(texts);
  expect(answer.statusCode).toBe(422);
  return (errorOf(answer).problems ?? []).map(({ field, code }) => [field, code]);
};

beforeEach(async () => {
  await put(off);
});

let phones = 0;
const newPhone = () => `+55119${String(60_000_000 + ++phones)}`;
/** Receives a reply and handles it as the reply workflow does. */
async function receive(text: string, phone = newPhone()) {
  const form = inboundForm({ From: phone, Body: text });
  const url = `/webhooks/providers/${catalog.providerId}/inbound`;
  expect((await postSigned(app, url, form)).statusCode).toBe(204);
  const [{ id }] = await sql<
    [{ id: number }]
  >`select max(id) as id from inbound_messages where phone = ${phone}`;
  return { id, phone, handled: await handle(id) };
}
const handle = (inboundMessageId: number) => handling.handleReply({ inboundMessageId });
const answersTo = (phone: string) =>
  sql`select kind, keyword, text, ticket_id, provider_id, actor from answers where phone = ${phone} order by id`;

test('automatic texts are off by default, and only an admin can change them', async () => {
  expect((await as('viewer')('GET', path)).json()).toEqual(off);
  expect((await as('operator')('PUT', path, off)).statusCode).toBe(403);
  const texts = { optOut: 'Pronto, {primeiro_nome}.', help: 'Ligue 0800.', keywords: [keyword()] };
  const { departmentId, subcategoryId } = settings;
  const saved = await put({ ...texts, keywords: [keyword({ departmentId, subcategoryId })] });
  expect(saved.statusCode).toBe(200);
  expect((await as('viewer')('GET', path)).json()).toEqual({
    ...texts,
    keywords: [{ words: ['2VIA'], text: 'Segue.', departmentId, subcategoryId }],
  });
  const { entries } = (await as('admin')('GET', '/api/audit?subjectKind=automatic_texts')).json<{
    entries: object[];
  }>();
  expect(entries[0]).toMatchObject({
    action: 'automatic_texts.update',
    changes: { optOut: ['', 'Pronto, {primeiro_nome}.'], keywords: [null, null] },
  });
});

test('an invalid text, keyword or target is rejected with a problem for its field', async () => {
  expect(await refused({ optOut: 'Oi {valor}', help: 'x'.repeat(161) })).toEqual([
    ['optOut', 'placeholder_unknown'],
    ['help', 'template_too_long'],
  ]);
  expect(await refused({ keywords: [keyword({ text: '{' })] })).toEqual([
    ['keywords.0.text', 'brace_unbalanced'],
  ]);
  expect(await refused({ keywords: [keyword({ words: [] })] })).toEqual([['keywords.0.words', 'missing']]);
  const twice = [keyword({ words: ['2VIA', 'boleto'] }), keyword({ words: ['Boleto!'] })];
  expect(await refused({ keywords: twice })).toEqual([['keywords.1.words.0', 'word_repeated']]);
  expect(await refused({ keywords: [keyword({ words: ['2VIA', 'sair'] })] })).toEqual([
    ['keywords.0.words.1', 'word_is_reply_word'],
  ]);
  expect(await refused({ keywords: [keyword({ departmentId: 999_999, subcategoryId: 999_999 })] })).toEqual([
    ['keywords.0.departmentId', 'unknown'],
    ['keywords.0.subcategoryId', 'unknown'],
  ]);
  expect((await as('viewer')('GET', path)).json()).toEqual(off);
});

test('a reply word and an unknown target are reported together with all other problems', async () => {
  const texts = {
    optOut: 'Oi {valor}',
    keywords: [keyword({ words: ['Parar!', 'x'.repeat(41)], departmentId: 999_999 }), keyword({ words: [] })],
  };
  expect(await refused(texts)).toEqual([
    ['optOut', 'placeholder_unknown'],
    ['keywords.0.words.1', 'word_too_long'],
    ['keywords.1.words', 'missing'],
    ['keywords.0.words.0', 'word_is_reply_word'],
    ['keywords.0.departmentId', 'unknown'],
  ]);
});

test('a department that a keyword uses cannot be deleted, and its uses include the keyword', async () => {
  const { departmentId } = settings;
  await put({ keywords: [keyword({ departmentId })] });
  const deleted = await as('admin')('DELETE', `/api/settings/departments/${departmentId}`);
  expect(errorOf(deleted)).toMatchObject({ code: 'in_use' });
  const uses = await as('viewer')('GET', `/api/settings/departments/${departmentId}/uses`);
  expect(uses.json()).toEqual({ usedBy: [{ kind: 'keywords', count: 1 }] });
});

test('no reply is answered while all texts are empty', async () => {
  for (const text of ['SAIR', 'AJUDA', '2VIA']) {
    const { phone, handled } = await receive(text);
    expect(handled.answerId).toBeNull();
    expect(await answersTo(phone)).toEqual([]);
  }
});

test('an opt-out is confirmed once, when it takes effect', async () => {
  await put({ optOut: 'Ok, {nome}: nada mais sera enviado.', help: 'Ligue.', keywords: [keyword()] });
  const { id, phone, handled } = await receive('Sair!');
  expect(await answersTo(phone)).toEqual([
    {
      kind: 'opt_out',
      keyword: null,
      text: 'Ok, : nada mais sera enviado.',
      ticketId: null,
      providerId: catalog.providerId,
      actor: 'system',
    },
  ]);
  // A repeated attempt reports the same answer.
  expect((await handle(id)).answerId).toBe(handled.answerId);
  expect(handled.answerId).not.toBeNull();
  for (const text of ['SAIR', 'AJUDA', '2VIA']) await receive(text, phone);
  expect(await answersTo(phone)).toHaveLength(1);
  const alreadyOut = newPhone();
  await optOutPhone(sql, { phone: alreadyOut, source: 'admin', sandbox: true });
  await receive('SAIR', alreadyOut);
  expect(await answersTo(alreadyOut)).toEqual([]);
});

test('a phone that opts out, in and out again within a day gets one confirmation', async () => {
  await put({ optOut: 'Ok.' });
  const { phone } = await receive('SAIR');
  await receive('VOLTAR', phone);
  await receive('SAIR', phone);
  expect(await answersTo(phone)).toHaveLength(1);
});

test('a phone that is held after a probable opt-out gets no automatic text', async () => {
  await put({ optOut: 'Ok.', help: 'Ligue.' });
  const { phone } = await receive('me tira dessa lista');
  await receive('AJUDA', phone);
  expect(await answersTo(phone)).toEqual([]);
});

test('a help request and each keyword are answered once a day', async () => {
  await put({ help: 'Ligue 0800.', keywords: [keyword(), keyword({ words: ['saldo'], text: 'Zero.' })] });
  const { phone } = await receive('AJUDA');
  for (const text of ['ajuda', '2 via.', '2VIA', 'Saldo', 'AJUDA']) await receive(text, phone);
  expect(await answersTo(phone)).toMatchObject([
    { kind: 'help', keyword: null, text: 'Ligue 0800.' },
    { kind: 'keyword', keyword: '2via', text: 'Segue.' },
    { kind: 'keyword', keyword: 'saldo', text: 'Zero.' },
  ]);
  await sql`update answers set created_at = now() - interval '25 hours' where phone = ${phone}`;
  await receive('AJUDA', phone);
  expect(await answersTo(phone)).toHaveLength(4);
});

test('concurrent replies from one phone get one automatic text', async () => {
  await put({ help: 'Ligue.' });
  const phone = newPhone();
  await Promise.all(Array.from({ length: 4 }, () => receive('AJUDA', phone)));
  const ids = await sql<{ id: number }[]>`select id from inbound_messages where phone = ${phone}`;
  await Promise.all(ids.map(({ id }) => handle(id)));
  expect(await answersTo(phone)).toHaveLength(1);
});

test('a short code, an old reply and an opted-out phone of an erased customer get no automatic text', async () => {
  await put({ help: 'Ligue.', optOut: 'Ok.' });
  expect((await receive('AJUDA', '28282')).handled.answerId).toBeNull();
  const phone = newPhone();
  const hash = await phoneHash();
  await sql`insert into opt_outs (phone_hash, source) values (${hash(phone)}, 'reply')`;
  for (const text of ['AJUDA', 'SAIR']) await receive(text, phone);
  expect(await answersTo(phone)).toEqual([]);
  const [old] = await sql<[{ id: number; phone: string }]>`
    insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, intent, received_at)
    values (${catalog.providerId}, 'SM-old', ${newPhone()}, '', 'AJUDA', 'help', now() - interval '2 days')
    returning id, phone`;
  expect((await handle(old.id)).answerId).toBeNull();
  await optInPhone(sql, hash, { phone, source: 'admin' });
});

test('a keyword assigns the ticket of its reply to its department, and the answer is added to the ticket', async () => {
  const target = await createTicketCatalog(sql);
  const { departmentId, subcategoryId, categoryId } = target;
  await put({
    keywords: [keyword({ text: 'Ola {primeiro_nome}, ja enviamos.', departmentId, subcategoryId })],
  });
  const phone = newPhone();
  await createRun(api, catalog, { phones: [phone], changes: { ticketPolicy: onReply(settings) } });
  await sql`update messages set status = 'delivered', sending_at = now() - interval '1 hour', sent_at = now() where phone = ${phone}`;
  const { handled } = await receive('2 vía!', phone);
  expect(handled.effect).toBe('ticket');
  expect(
    await sql`select department_id, category_id, subcategory_id, assignee_id, unanswered from tickets where phone = ${phone}`,
  ).toEqual([{ departmentId, categoryId, subcategoryId, assigneeId: settings.assigneeId, unanswered: true }]);
  expect(await answersTo(phone)).toMatchObject([
    { kind: 'keyword', text: 'Ola Maria, ja enviamos.', ticketId: handled.ticketId },
  ]);
  const thread = await as('viewer')('GET', `/api/tickets/${handled.ticketId ?? 0}/answers`);
  expect(thread.json()).toMatchObject({ answers: [{ kind: 'keyword', actor: 'system' }] });
});
