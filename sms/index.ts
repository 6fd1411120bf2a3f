import { callbackPath, type ProviderAccount } from '../domain/provider.ts';
import type { Provider } from './provider.ts';
import { createTwilio } from './twilio.ts';

export interface ProviderDeps {
  /** Where providers reach this deployment, without a slash at the end. */
  publicUrl: string;
  /** Base URL of the deployment's sandbox gateway. */
  sandboxUrl: string;
  /** For each of: the connection, the head of the answer, the whole answer. */
  sendTimeoutMs: number;
  /** Connections to the provider at most, and so sends in flight. */
  connections: number;
}

/** The adapter of one `providers` row. The sandbox is the Twilio adapter, pointed at the sandbox. */
export function createProvider(
  { id, ...account }: ProviderAccount & { id: number },
  deps: ProviderDeps,
): Provider {
  const common = {
    statusCallbackUrl: deps.publicUrl + callbackPath(id, 'receipts'),
    sendTimeoutMs: deps.sendTimeoutMs,
    connections: deps.connections,
  };
  switch (account.kind) {
    case 'sandbox':
      return createTwilio({ ...account, ...common, baseUrl: deps.sandboxUrl });
    case 'twilio':
      return createTwilio({ ...account, ...common, baseUrl: 'https://api.twilio.com' });
  }
}
