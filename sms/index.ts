import { callbackPath, type ProviderAccount } from '../domain/provider.ts';
import type { SegmentProfileName } from '../domain/segments.ts';
import type { buildConnector } from 'undici';
import type { AccessTokens } from './http/authentication.ts';
import { createHttpGateway } from './http/http-gateway.ts';
import { createInfobip } from './infobip/infobip.ts';
import type { LookUpRequest, Provider, SendOutcome } from './provider.ts';
import { createTwilio, twilioUrl } from './twilio/twilio.ts';
import { createZenvia } from './zenvia/zenvia.ts';

export interface ProviderDeps {
  /** Where providers reach this deployment, without a trailing slash. */
  publicUrl: string;
  /** Base URL of the deployment's sandbox gateway. */
  sandboxUrl: string;
  /** The timeout of each phase: the connection, the head of the answer, the whole answer. */
  sendTimeoutMs: number;
  /** Maximum number of connections to the provider, and so of concurrent sends. */
  connections: number;
  /** Opens connections to addresses that an admin has entered, and refuses forbidden ones. */
  connect: buildConnector.connector;
  /** Access tokens of gateways that require them. */
  tokens: AccessTokens;
  /** The longest pause that a provider can request with Retry-After. */
  longestPauseMs?: number;
}

/** A `providers` row as its adapter needs it. */
type ProviderRecord = ProviderAccount & { id: number; reference: string; segmentProfile: SegmentProfileName };

const defaultLongestPauseMs = 15 * 60_000;

/** The adapter of one `providers` row. Limits the pauses that the provider requests. */
export function createProvider(account: ProviderRecord, deps: ProviderDeps): Provider {
  const provider = createAdapter(account, deps);
  const { lookUp } = provider;
  const limited = <A extends { kind: string }>(answer: A): A => {
    if (!('retryAfterMs' in answer) || typeof answer.retryAfterMs !== 'number') return answer;
    const longest = deps.longestPauseMs ?? defaultLongestPauseMs;
    return answer.retryAfterMs <= longest ? answer : { ...answer, retryAfterMs: longest };
  };
  return {
    ...provider,
    send: async (request) => keepable(limited(await provider.send(request))),
    ...(lookUp && { lookUp: async (request: LookUpRequest) => limited(await lookUp(request)) }),
  };
}

/** Replaces NUL, which PostgreSQL cannot store in a text. */
function keepable(outcome: SendOutcome): SendOutcome {
  if (outcome.kind === 'accepted')
    return outcome.providerMessageId.includes('\0')
      ? { ...outcome, providerMessageId: outcome.providerMessageId.replaceAll('\0', '\ufffd') }
      : outcome;
  return outcome.code.includes('\0')
    ? { ...outcome, code: outcome.code.replaceAll('\0', '\ufffd') }
    : outcome;
}

/** The sandbox uses the Twilio adapter with the sandbox's address. */
function createAdapter(
  { id, reference, segmentProfile, ...account }: ProviderRecord,
  deps: ProviderDeps,
): Provider {
  const { sendTimeoutMs, connections, connect, tokens } = deps;
  const limits = { sendTimeoutMs, connections };
  const statusCallbackUrl = deps.publicUrl + callbackPath(id, 'receipts');
  switch (account.kind) {
    case 'sandbox':
      return createTwilio({ ...account, ...limits, statusCallbackUrl, baseUrl: deps.sandboxUrl });
    case 'twilio':
      return createTwilio({ ...account, ...limits, statusCallbackUrl, baseUrl: twilioUrl(account) });
    case 'zenvia':
      return createZenvia({ ...account, ...limits, reference, baseUrl: 'https://api.zenvia.com' });
    case 'infobip':
      return createInfobip({
        ...{ ...account, ...limits, reference, statusCallbackUrl },
        portuguese: segmentProfile === 'portuguese',
      });
    case 'http':
      return createHttpGateway({ ...account, ...limits, reference, statusCallbackUrl, connect, tokens });
  }
}
