import type { Fault } from '../domain/problems/coded.ts';
import { postOutcome } from '../domain/ticket-posting.ts';
import { refusalOf } from '../mailing/web-errors.ts';
import { WebserviceRefused } from '../mailing/refused.ts';
import { type WebhookAnswer, webhookTimeoutMs } from './webhook.ts';

/** Why a message was not delivered. */
export type DeliveryProblem = Fault;

/** The problem of a connection that could not be opened or that broke; null: it is none of those. */
export function connectionProblem(error: unknown, host: string, idleMs: number): DeliveryProblem | null {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return { code: 'timed_out', params: { host, at: 'start', seconds: idleMs / 1000 } };
  }
  const refusal = refusalOf(error, new URL(`https://${host.includes(':') ? `[${host}]` : host}`), idleMs);
  if (!(refusal instanceof WebserviceRefused)) return null;
  return refusal.fault.code === 'address_refused'
    ? { code: 'alert_address_refused', params: { host } }
    : refusal.fault;
}

/** Why the webhook has not accepted a post; null: it has. */
export function webhookProblem(url: string, { status, error }: WebhookAnswer): DeliveryProblem | null {
  if (postOutcome(status) === 'delivered') return null;
  const { hostname: host } = new URL(url);
  if (status !== null) return { code: 'webhook_refused', params: { host, status } };
  return connectionProblem(error, host, webhookTimeoutMs) ?? { code: 'delivery_failed', params: { host } };
}
