import { buildConnector } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { providerAccount } from '../../domain/provider.ts';
import { createProvider } from '../../sms/index.ts';
import { localTokens } from '../kit/connect.ts';
import { httpAnswer, startRawServer } from '../kit/raw-server.ts';

test.each([
  ['{"id":"a\\u0000b"}', { kind: 'accepted', providerMessageId: 'a\ufffdb' }],
  ['{"code":"a\\u0000b"}', { kind: 'ambiguous', code: 'a\ufffdb' }],
])('an answer of a provider can be stored, also with a NUL: %s', async (body, outcome) => {
  const server = await startRawServer((socket) => socket.write(httpAnswer(200, body)));
  const account = providerAccount.parse({
    kind: 'http',
    request: { method: 'POST', url: `${server.url}/send` },
    answer: { messageId: { in: 'json', path: 'id' }, code: { in: 'json', path: 'code' } },
    callbackSecret: 'a-secret-of-twenty-letters',
  });
  const provider = createProvider(
    { ...account, id: 1, reference: 'r1', segmentProfile: 'gsm' },
    {
      publicUrl: 'https://torpedo.example',
      sandboxUrl: server.url,
      sendTimeoutMs: 5_000,
      connections: 1,
      connect: buildConnector({ timeout: 5_000 }),
      tokens: localTokens,
    },
  );
  onTestFinished(async () => {
    await server.close();
    await provider.close();
  });
  expect(await provider.send({ messageId: 1, to: '+5511900000001', text: 'Oi' })).toMatchObject(outcome);
});
