import { expect, test } from 'vitest';
import { createConsole, textOf } from '../kit/console.ts';
import { createProvider } from '../kit/factories.ts';
import { account, createGateway } from '../kit/gateway.ts';
import { box } from '../kit/api.ts';

const gateway = await createGateway();
const ui = await createConsole({ sandboxUrl: gateway.url });
const operator = await ui.signIn('operator');
const viewer = await ui.signIn('viewer');

test('without a sandbox the page shows that it is unavailable', async () => {
  const page = await viewer.get('/phones');
  expect(page.statusCode).toBe(200);
  expect(textOf(page)).toContain('O sandbox não está disponível');
});

test('a virtual phone shows its SMS, and a reply that cannot be delivered keeps its text', async () => {
  await createProvider({ sql: ui.sql, box });
  const phone = '+5511911110009';
  await fetch(`${gateway.url}/2010-04-01/Accounts/${account.accountSid}/Messages.json`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${account.accountSid}:${account.authToken}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ To: phone, From: account.from, Body: 'Ola <b>Maria</b>' }).toString(),
  });
  expect(textOf(await viewer.get('/phones'))).toContain('(11) 91111-0009');
  const page = await viewer.get(`/phones/${encodeURIComponent(phone)}`);
  expect(textOf(page)).toContain('Ola <b>Maria</b>');
  expect(page.body).not.toContain('<b>Maria');
  expect(page.body).not.toContain('name="text"');
  // The sandbox has no reply URL here: the page reports it and keeps the text.
  const refused = await operator.post(`/phones/${encodeURIComponent(phone)}`, { text: 'SAIR' });
  expect(refused.statusCode).toBe(503);
  expect(refused.body).toContain('SAIR');
  expect(textOf(refused)).toContain('O sandbox não sabe para onde enviar a resposta.');
  expect((await operator.post(`/phones/${encodeURIComponent(phone)}`, { text: ' ' })).statusCode).toBe(422);
});
