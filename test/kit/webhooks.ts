import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import twilio from 'twilio';
import { afterAll } from 'vitest';
import { buildApp } from '../../api/http/app.ts';
import { publicUrl, sandboxAccount } from './api.ts';
import { connectAnywhere, localTokens } from './connect.ts';
import type { System } from './system.ts';
import { localWebservice } from './webservice.ts';
import { localOutgoing } from './outgoing.ts';

/** Starts the API at the address to which the gateway posts its receipts. */
export async function listenForReceipts(system: System, apiUrl: string): Promise<FastifyInstance> {
  const app = await buildApp({
    sql: system.sql,
    box: system.box,
    temporal: system.temporal,
    logger: pino({ level: 'silent' }),
    sms: {
      publicUrl: apiUrl,
      sandboxUrl: system.gateway.url,
      sendTimeoutMs: 2_000,
      connections: 1,
      connect: connectAnywhere,
      tokens: localTokens,
    },
    outgoing: localOutgoing,
    webservice: localWebservice,
    uploadLimitBytes: 1024,
  });
  await app.listen({ host: '127.0.0.1', port: Number(new URL(apiUrl).port) });
  afterAll(() => app.close());
  return app;
}

export type Form = Record<string, string>;

/** Posts a callback to the webhook of a provider, signed with Twilio's own library. */
export function postSigned(
  app: FastifyInstance,
  path: string,
  form: Form,
  {
    authToken = sandboxAccount.authToken,
    headers = {},
    apiUrl = publicUrl,
  }: { authToken?: string; headers?: Form; apiUrl?: string } = {},
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'POST',
    url: path,
    payload: new URLSearchParams(form).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': twilio.getExpectedTwilioSignature(authToken, apiUrl + path, form),
      ...headers,
    },
  });
}

let inboundNumber = 0;

/** The form that Twilio posts for an inbound SMS. */
export const inboundForm = (changes: Form): Form => ({
  MessageSid: `SM${String(++inboundNumber).padStart(32, '0')}`,
  SmsStatus: 'received',
  From: '+5511900000001',
  To: '+5511999990000',
  Body: 'Quero saber mais.',
  ...changes,
});
