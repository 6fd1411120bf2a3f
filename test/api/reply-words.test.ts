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
/** Receives a reply from a new phone. */
async function receive(text: string): Promise<{ id: number; phone: string }> {
  const phone = `+55119${String(30_000_000 + ++phones)}`;
  const form = inboundForm({ From: phone, Body: text });
  expect((await postSigned(app, `/webhooks/providers/${providerId}/inbound`, form)).statusCode).toBe(204);
  const [row] = await sql<[{ id: number }]>`select id from inbound_messages where phone = ${phone}`;
  return { id: row.id, phone };
}
const isOptedOut = async (phone: string) =>
  (await sql`select from opt_outs where phone = ${phone} and state = 'opted_out'`).count > 0;

test('a new deployment has the default words, and every role can read them', async () => {
  const answer = await as('viewer')('GET', path);
  expect(answer.json()).toEqual(defaultReplyWords);
  expect(defaultReplyWords.optOut).toEqual(expect.arrayContaining(['SAIR', 'PARE', 'STOP', 'CANCELAR']));
});

test('only an admin can change the words, and each change is audited', async () => {
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

test('a list that is left out is reset to its default', async () => {
  const answer = await as('admin')('PUT', path, { optOut: ['FORA'] });
  expect(answer.json()).toEqual({ ...defaultReplyWords, optOut: ['FORA'] });
});

describe('the words stay unchanged when a change has', () => {
  test.each([
    ['a word without a letter or a digit', { help: ['AJUDA', '?!'] }, ['help.1']],
    ['no word that opts out', { optOut: [] }, ['optOut']],
    ['the same word in two lists, in another spelling', { optIn: ['voltar', 'S.A.I.R!'] }, ['optIn.1']],
    ['the same word twice in a list', { optOut: ['PARE', 'Pare'] }, ['optOut.1']],
    ['a word that is too long', { help: ['x'.repeat(41)] }, ['help.0']],
    ['a control character', { help: ['a\0b'] }, ['help.0']],
    ['too many words in a list', { help: Array.from({ length: 51 }, (_, i) => `h${i}`) }, ['help']],
    ['several problems at once', { optOut: [], help: ['!'] }, ['optOut', 'help.0']],
    ['an unknown list', { quit: ['QUIT'] }, ['quit']],
  ])('%s', async (_, changes, fields) => {
    await put({});
    const answer = await put(changes);
    expect(answer.statusCode).toBe(422);
    expect(errorOf(answer)).toMatchObject({ code: 'invalid_fields' });
    expect(errorOf(answer).problems?.map(({ field }) => field)).toEqual(fields);
    expect((await as('viewer')('GET', path)).json()).toEqual(standard);
  });
});

describe('a change takes effect immediately', () => {
  test('for words that were added to or removed from the opt-out and opt-in lists', async () => {
    await reset();
    onTestFinished(reset);
    expect(await isOptedOut((await receive('fora')).phone)).toBe(false);
    await put({ optOut: ['FORA'], optIn: ['DENTRO'] });
    const { phone } = await receive('Fóra!');
    expect(await isOptedOut(phone)).toBe(true);
    expect(await isOptedOut((await receive('SAIR')).phone)).toBe(false);
    const back = inboundForm({ From: phone, Body: 'dentro' });
    await postSigned(app, `/webhooks/providers/${providerId}/inbound`, back);
    expect(await isOptedOut(phone)).toBe(false);
  });

  test('but not for a reply that was received before the change and is handled after it', async () => {
    await reset();
    onTestFinished(reset);
    const { id, phone } = await receive('SAIR');
    const before = await receive('Tchau');
    await put({ optOut: ['TCHAU'] });
    const handling = createReplies({ sql, replyWindowDays: 30, phoneHash: createPhoneHashing({ sql, box }) });
    expect(await isOptedOut(phone)).toBe(true);
    expect(await handling.handleReply({ inboundMessageId: id })).toMatchObject({ effect: 'opt_out' });
    expect(await handling.handleReply({ inboundMessageId: before.id })).toMatchObject({ effect: 'none' });
  });

  test('for help words', async () => {
    onTestFinished(reset);
    await put({ help: ['SOS'] });
    const { id } = await receive('sos');
    const handling = createReplies({ sql, replyWindowDays: 30, phoneHash: createPhoneHashing({ sql, box }) });
    expect(await handling.handleReply({ inboundMessageId: id })).toMatchObject({ effect: 'help' });
  });
});
