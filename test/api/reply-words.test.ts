import { describe, expect, onTestFinished, test } from 'vitest';
import { createReplies } from '../../activities/replies.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { defaultReplyWords, type ReplyWords } from '../../domain/reply.ts';
import { box, createApi, createCatalog, errorOf } from '../kit/api.ts';
import { inboundForm, postSigned } from '../kit/webhooks.ts';

const api = await createApi();
const { app, sql, as } = api;
const { providerId } = await createCatalog(api);
const path = '/api/settings/reply-words';
const standard: ReplyWords = { optOut: ['SAIR'], optIn: ['VOLTAR'], help: ['AJUDA'], holdDays: 7 };

const put = (changes: object) => as('admin')('PUT', path, { ...standard, ...changes });

const reset = async (): Promise<void> => {
  await put({});
};

let phones = 0;
/** Has somebody write to us; the id of what is kept. */
async function receive(text: string): Promise<{ id: number; phone: string }> {
  const phone = `+55119${String(30_000_000 + ++phones)}`;
  const form = inboundForm({ From: phone, Body: text });
  expect((await postSigned(app, `/webhooks/providers/${providerId}/inbound`, form)).statusCode).toBe(204);
  const [row] = await sql<[{ id: number }]>`select id from inbound_messages where phone = ${phone}`;
  return { id: row.id, phone };
}
const isOut = async (phone: string) =>
  (await sql`select from opt_outs where phone = ${phone} and state = 'opted_out'`).count > 0;

test('A new deployment has the default words, and everybody may read them', async () => {
  const answer = await as('viewer')('GET', path);
  expect(answer.json()).toEqual(defaultReplyWords);
  expect(defaultReplyWords.optOut).toEqual(expect.arrayContaining(['SAIR', 'PARE', 'STOP', 'CANCELAR']));
});

test('Only an admin changes them, which the audit log tells', async () => {
  expect((await as('operator')('PUT', path, standard)).statusCode).toBe(403);
  expect((await put({ optOut: ['  Chega de SMS ', 'SAIR'] })).json()).toEqual({
    ...standard,
    optOut: ['Chega de SMS', 'SAIR'],
  });
  const { entries } = (await as('admin')('GET', '/api/audit?subjectKind=reply_words')).json<{
    entries: object[];
  }>();
  expect(entries).toMatchObject([
    {
      action: 'reply_words.update',
      changes: { optOut: [defaultReplyWords.optOut, ['Chega de SMS', 'SAIR']] },
    },
  ]);
});

test('What is left out goes back to its default', async () => {
  const answer = await as('admin')('PUT', path, { optOut: ['FORA'] });
  expect(answer.json()).toEqual({ ...defaultReplyWords, optOut: ['FORA'] });
});

describe('refuses, and keeps what there was,', () => {
  test.each([
    ['a word without a letter or a digit', { help: ['AJUDA', '?!'] }, ['help.1']],
    ['nothing that opts out', { optOut: [] }, ['optOut']],
    ['a word in two lists, however it is written', { optIn: ['voltar', 'S.A.I.R!'] }, ['optIn.1']],
    ['a word twice in a list', { optOut: ['PARE', 'Pare'] }, ['optOut.1']],
    ['a word that nobody types', { help: ['x'.repeat(41)] }, ['help.0']],
    ['a character that no telephone sends', { help: ['a\0b'] }, ['help.0']],
    ['a list without end', { help: Array.from({ length: 51 }, (_, i) => `h${i}`) }, ['help']],
    ['all that is wrong at once', { optOut: [], help: ['!'] }, ['optOut', 'help.0']],
    ['a list that is not known', { quit: ['QUIT'] }, ['quit']],
  ])('%s', async (_, changes, fields) => {
    await put({});
    const answer = await put(changes);
    expect(answer.statusCode).toBe(422);
    expect(errorOf(answer)).toMatchObject({ code: 'invalid_fields' });
    expect(errorOf(answer).problems?.map(({ field }) => field)).toEqual(fields);
    expect((await as('viewer')('GET', path)).json()).toEqual(standard);
  });
});

describe('A change is in effect at once', () => {
  test('for what opts out, in again, and for what does no more', async () => {
    await reset();
    onTestFinished(reset);
    expect(await isOut((await receive('fora')).phone)).toBe(false);
    await put({ optOut: ['FORA'], optIn: ['DENTRO'] });
    const { phone } = await receive('Fóra!');
    expect(await isOut(phone)).toBe(true);
    expect(await isOut((await receive('SAIR')).phone)).toBe(false);
    const back = inboundForm({ From: phone, Body: 'dentro' });
    await postSigned(app, `/webhooks/providers/${providerId}/inbound`, back);
    expect(await isOut(phone)).toBe(false);
  });

  test('and not for a reply that came before it, though it is handled later', async () => {
    await reset();
    onTestFinished(reset);
    const { id, phone } = await receive('SAIR');
    const before = await receive('Tchau');
    await put({ optOut: ['TCHAU'] });
    const handling = createReplies({ sql, replyWindowDays: 30, phoneHash: createPhoneHashing({ sql, box }) });
    expect(await isOut(phone)).toBe(true);
    expect(await handling.handleReply({ inboundMessageId: id })).toMatchObject({ effect: 'opt_out' });
    expect(await handling.handleReply({ inboundMessageId: before.id })).toMatchObject({ effect: 'none' });
  });

  test('for those who call for help', async () => {
    onTestFinished(reset);
    await put({ help: ['SOS'] });
    const { id } = await receive('sos');
    const handling = createReplies({ sql, replyWindowDays: 30, phoneHash: createPhoneHashing({ sql, box }) });
    expect(await handling.handleReply({ inboundMessageId: id })).toMatchObject({ effect: 'help' });
  });
});
