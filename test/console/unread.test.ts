import type { LightMyRequestResponse } from 'fastify';
import { expect, test } from 'vitest';
import { createConsole, textOf } from '../kit/console.ts';

/** Unread provider calls: on the home page, at the provider, and read again with a click. */
const ui = await createConsole();
const operator = await ui.signIn('operator');
const viewer = await ui.signIn('viewer');
const callbackSecret = 'a-secret-of-twenty-letters';
const gateway = (config: object) => ({
  name: 'Gateway <b>',
  config: {
    kind: 'http',
    request: { method: 'POST', url: 'http://gateway.example/send?to={to}&dlr={receiptUrl}' },
    ...config,
  },
});
const made = await ui.as('admin')('POST', '/api/providers', {
  ...gateway({}),
  secrets: { kind: 'http', callbackSecret },
});
const { id } = made.json<{ id: number }>();
const page = `/settings/providers/${id}/unread`;
const replies = async (texts: readonly string[]): Promise<void> => {
  for (const text of texts)
    await ui.app.inject({
      method: 'POST',
      url: `/webhooks/providers/${id}/inbound?key=${callbackSecret}`,
      payload: { from: '5511900000001', text },
    });
};

const noticeOf = (answer: LightMyRequestResponse): string =>
  decodeURIComponent(String(answer.headers['set-cookie']));

test('without unread calls the pages show a sentence', async () => {
  expect(textOf(await viewer.get(page))).toContain('Nada sem leitura');
  expect(textOf(await viewer.get(`/settings/providers/${id}`))).toContain(
    'Todas as chamadas do provedor foram lidas.',
  );
  expect(textOf(await viewer.get('/'))).toContain('Nada precisa da sua atenção agora.');
});

test('unread calls are listed on the home page until they are read again or dismissed', async () => {
  await replies(['SAIR', '<i>já</i>']);
  expect(textOf(await viewer.get('/'))).toContain('2 chamadas não lidas de Gateway');
  expect(textOf(await viewer.get(`/settings/providers/${id}`))).toContain('2 chamadas não lidas');
  const shown = await operator.get(page);
  expect(shown.body).not.toContain('<i>já</i>');
  expect(textOf(shown)).toContain('A descrição do gateway não define como ler respostas.');
  expect(textOf(shown)).toMatch(/"from": "5511900000001"/);
  expect(textOf(await viewer.get(page))).not.toContain('Ler de novo');

  expect(noticeOf(await operator.post(`${page}/read-again`))).toContain(
    '0 chamadas lidas; 2 continuam sem leitura.',
  );
  await ui.as('admin')('PUT', `/api/providers/${id}`, {
    ...gateway({ inbound: { format: 'json', from: 'from', text: 'text' } }),
    ratePerSecond: null,
  });
  const [first] = await ui.sql<{ id: number }[]>`select id from inbound_events order by id`;
  const one = await operator.post(`${page}/read-again`, { id: String(first?.id) });
  expect(noticeOf(one)).toContain('1 chamada lida; 0 continuam sem leitura.');
  expect((await ui.sql`select from opt_outs where phone = '+5511900000001'`).count).toBe(1);
  const [second] = await ui.sql<{ id: number }[]>`select id from inbound_events where unread is not null`;
  const aside = await operator.post(`${page}/set-aside`, { ids: String(second?.id) });
  expect(noticeOf(aside)).toContain('1 chamada descartada.');
  expect(textOf(await viewer.get('/'))).toContain('Nada precisa da sua atenção agora.');
});
