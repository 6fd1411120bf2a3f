import { readFileSync } from 'node:fs';
import { createAddressGuard } from '../../mailing/address-guard.ts';
import type { Outgoing } from '../../outgoing/index.ts';
import { createSmtp } from '../../outgoing/smtp.ts';
import { createWebhook } from '../../outgoing/webhook.ts';
import { connectAnywhere } from './connect.ts';

/** The certificate of the test SMTP servers at localhost. */
const certificate = readFileSync(new URL('../tls/cert.pem', import.meta.url));

/** Allows the loopback address of test servers, which the guard of a deployment refuses. */
export const localOutgoing: Outgoing = {
  smtp: createSmtp({
    guard: createAddressGuard(['127.0.0.1', '::1', 'localhost']),
    timeoutMs: 2_000,
    ca: certificate,
  }),
  webhook: createWebhook({ connect: connectAnywhere }),
};
