import { callbackPath, type ProviderAccount } from '../domain/provider.ts';
import type { buildConnector } from 'undici';
import { createHttpGateway } from './http/http-gateway.ts';
import { createInfobip } from './infobip/infobip.ts';
import type { Provider } from './provider.ts';
import { createTwilio } from './twilio/twilio.ts';
import { createZenvia } from './zenvia/zenvia.ts';

export interface ProviderDeps {
  /** Where providers reach this deployment, without a slash at the end. */
  publicUrl: string;
  /** Base URL of the deployment's sandbox gateway. */
  sandboxUrl: string;
  /** For each of: the connection, the head of the answer, the whole answer. */
  sendTimeoutMs: number;
  /** Connections to the provider at most, and so sends in flight. */
  connections: number;
  /** Opens connections to addresses that an admin has given, and refuses those that are not allowed. */
  connect: buildConnector.connector;
}

/** The adapter of one `providers` row. The sandbox is the Twilio adapter, pointed at the sandbox. */
export function createProvider(
  { id, reference, ...account }: ProviderAccount & { id: number; reference: string },
  deps: ProviderDeps,
): Provider {
  const { sendTimeoutMs, connections, connect } = deps;
  const limits = { sendTimeoutMs, connections };
  const statusCallbackUrl = deps.publicUrl + callbackPath(id, 'receipts');
  switch (account.kind) {
    case 'sandbox':
      return createTwilio({ ...account, ...limits, statusCallbackUrl, baseUrl: deps.sandboxUrl });
    case 'twilio':
      return createTwilio({ ...account, ...limits, statusCallbackUrl, baseUrl: 'https://api.twilio.com' });
    case 'zenvia':
      return createZenvia({ ...account, ...limits, reference, baseUrl: 'https://api.zenvia.com' });
    case 'infobip':
      return createInfobip({ ...account, ...limits, reference, statusCallbackUrl });
    case 'http':
      return createHttpGateway({ ...account, ...limits, reference, statusCallbackUrl, connect });
  }
}
