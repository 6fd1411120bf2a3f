import { createAddressGuard } from '../mailing/address-guard.ts';
import { guardedConnect } from '../mailing/guarded-connect.ts';
import { createSmtp, type Smtp } from './smtp.ts';
import { createWebhook, type Webhook } from './webhook.ts';

/** How alerts leave: the clients of the SMTP server and of the webhook. */
export interface Outgoing {
  smtp: Smtp;
  webhook: Webhook;
}

const connectMs = 5_000;

/** `allowed`: what the operator allows besides the public internet (ALERTS_ALLOW). Close `webhook` at the end. */
export function createOutgoing(allowed: readonly string[]): Outgoing {
  const guard = createAddressGuard(allowed);
  return {
    smtp: createSmtp({ guard }),
    webhook: createWebhook({ connect: guardedConnect(guard, { timeoutMs: connectMs }) }),
  };
}
