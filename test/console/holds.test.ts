import { expect, test } from 'vitest';
import { formatPhone } from '../../domain/phone.ts';
import { createReplies } from '../../activities/replies.ts';
import { createReceiptWriter } from '../../api/services/receipts.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { writerOf } from '../../domain/reply.ts';
import { box, createCatalog, createRun } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';
import { recordSent } from '../kit/sending.ts';

/** The queue of probable opt-outs on the replies page and on the home page. */
const ui = await createConsole();
const { sql } = ui;
const catalog = await createCatalog(ui);
const operator = await ui.signIn('operator');
const viewer = await ui.signIn('viewer');
const writer = createReceiptWriter({
  sql,
  log: ui.app.log,
  phoneHash: createPhoneHashing({ sql, box }),
  onReplies: () => undefined,
});
const handling = createReplies({ sql, replyWindowDays: 30, phoneHash: createPhoneHashing({ sql, box }) });
const { providerId } = catalog;

let replies = 0;
async function receiveReply(from: string, text: string): Promise<void> {
  const key = `reply-${++replies}`;
  await writer.write({
    event: { providerId, eventKey: key, kind: 'message', messageId: null, payload: '{}' },
    move: null,
    reply: { providerId, providerMessageId: key, phone: writerOf(from), recipient: '28123', text },
  });
  const rows = await sql<{ id: number }[]>`select id from inbound_messages where handled_at is null`;
  for (const { id } of rows) await handling.handleReply({ inboundMessageId: id });
}

test('an empty queue shows a sentence', async () => {
  expect(textOf(await viewer.get('/replies/held'))).toContain('Nada a decidir');
  expect(textOf(await viewer.get('/replies'))).not.toContain('esperam a sua decisão');
  expect(textOf(await viewer.get('/'))).toContain('Nada precisa da sua atenção agora.');
});

test('a probable opt-out is listed on the home page and on the replies page, and one click decides it', async () => {
  const [leaving, staying] = ['+5511987651001', '+5511987651002'];
  const { runId } = await createRun(ui, catalog, { phones: [leaving, staying] });
  await recordSent(sql, { runId, count: 2, sidOf: (id) => `SM${id}` });
  // The carrier reports the phone without the ninth digit.
  await receiveReply('551187651001', 'me tira dessa lista <b>já</b>');
  await receiveReply(staying, 'Não vou sair de casa hoje');

  const home = textOf(await viewer.get('/'));
  expect(home).toContain('2 descadastros prováveis esperam a sua decisão');
  expect(textOf(await viewer.get('/replies'))).toContain('2 descadastros prováveis esperam a sua decisão');
  const page = await operator.get('/replies/held');
  expect(page.body).not.toContain('<b>já</b>');
  const text = textOf(page);
  expect(text).toMatch(/\(11\) 98765-1001 .*me tira dessa lista .* Descadastrar Não quis sair/);
  expect(text).toContain('Ola Maria 1');
  expect(textOf(await viewer.get('/replies/held'))).not.toContain('Não quis sair');

  const holds = await sql<{ id: number; phone: string }[]>`
    select id, phone from opt_outs where state = 'held' order by id`;
  const path = (phone: string) => `/replies/held/${holds.find((one) => one.phone === phone)?.id ?? 0}`;
  expect((await viewer.post(path(leaving), { decision: 'opt_out' })).statusCode).toBe(403);
  for (const [phone, decision] of [
    [leaving, 'opt_out'],
    [staying, 'release'],
  ] as const) {
    const answer = await operator.post(path(phone), { decision });
    expect([answer.statusCode, answer.headers['location']]).toEqual([303, '/replies/held']);
  }
  expect(textOf(await viewer.get('/replies/held'))).toContain('Nada a decidir');
  expect(textOf(await viewer.get('/opt-outs'))).toContain(formatPhone(leaving));
  expect(textOf(await viewer.get('/opt-outs'))).not.toContain(formatPhone(staying));
  // Another user still had the old page open.
  const late = await operator.post(path(staying), { decision: 'opt_out' });
  expect(late.statusCode).toBe(303);
  expect(String(late.headers['set-cookie'])).toContain(encodeURIComponent('um usuário já decidiu'));
});
