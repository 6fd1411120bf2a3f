import type { GatewayLocator, HttpGatewayConfig } from '../../domain/http-gateway.ts';
import { outcomeOf, outcomeOfCode, parseRetryAfter } from '../answers.ts';
import { account, ambiguous, type CodeMeaning, outcomeCode, ourCode, refused, temporary } from '../codes.ts';
import { at, findText, parseJson } from '../json.ts';
import type { SendOutcome } from '../provider.ts';
import type { Exchange } from '../transport.ts';
import type { Table } from './table.ts';

const gateway = { provider: 'gateway' } as const;

/**
 * The outcome of an answer. The gateway's own code takes precedence. A 2xx with an unlisted code may mean anything, with
 * or without an id, but an explicit `success: false` is a refusal. A 2xx without a code means that the message was
 * accepted if it contains the message id where it is expected, or if neither an id nor a code is expected.
 */
export function answerOutcome(
  exchange: Exchange,
  { messageId, code: codeAt, codes }: Answer,
  reference: string,
): SendOutcome {
  if (exchange.kind === 'not_written' && exchange.code === 'AddressRefused') {
    return {
      kind: 'account',
      ...ourCode(exchange.code),
      detail: { code: 'address_refused', params: { provider: 'gateway' } },
    };
  }
  const text = exchange.kind === 'answered' ? exchange.body : null;
  const json = text === null ? null : parseJson(text);
  const find = (locator: GatewayLocator | null): string | null => {
    switch (locator?.in) {
      case undefined:
        return null;
      case 'json':
        return findText(json, locator.path);
      case 'text':
        return between(text ?? '', locator);
      case 'status':
        return exchange.kind === 'answered' ? String(exchange.status) : null;
    }
  };
  const id = find(messageId);
  const word = find(codeAt);
  const known = word === null ? undefined : codes(word);
  if (word !== null && known !== undefined) {
    if (known.value.means === 'accepted') return { kind: 'accepted', providerMessageId: id ?? reference };
    // Only the pattern `*` matched, so the value may be anything.
    const reported = known.label === '' ? outcomeCode(word, false, 'UNLISTED_CODE') : ourCode(known.label);
    const outcome = outcomeOfCode(meaningOf(known.value, reported.publicCode), reported);
    return outcome.kind === 'temporary' ? { ...outcome, ...waitOf(exchange) } : outcome;
  }
  // An unlisted HTTP status has no meaning of its own.
  const code = codeAt?.in === 'status' ? null : word;
  return outcomeOf(exchange, {
    provider: 'gateway',
    accepted: () => {
      if (saysNo(json)) {
        const reported = outcomeCode(code, false, 'SUCCESS_FALSE');
        const detail = { code: 'says_not_taken', params: gateway } as const;
        return { kind: 'refused', reason: 'request_refused', ...reported, detail };
      }
      if (code !== null) {
        const reported = outcomeCode(code, false, 'UNLISTED_CODE');
        const detail = {
          code: 'code_not_described',
          params: { ...gateway, code: reported.publicCode },
        } as const;
        return { kind: 'ambiguous', ...reported, detail };
      }
      const isSilent = messageId === null && (codeAt === null || codeAt.in === 'status');
      return isSilent || id !== null ? { kind: 'accepted', providerMessageId: id ?? reference } : null;
    },
    errorCode: () => code,
    meaningOf: () => undefined,
  });
}

/** The wait for a gateway that accepts no messages now, instead of refusing only this one. */
function waitOf(
  exchange: Exchange,
): Pick<Extract<SendOutcome, { kind: 'temporary' }>, 'retryAfterMs' | 'outage'> {
  if (exchange.kind !== 'answered') return { retryAfterMs: null, outage: false };
  return {
    retryAfterMs: parseRetryAfter(exchange.retryAfter, Date.now()),
    outage: exchange.status === 429 || exchange.status === 503,
  };
}

type Answer = Omit<HttpGatewayConfig['answer'], 'codes'> & {
  codes: Table<HttpGatewayConfig['answer']['codes'][string]>;
};

/** Whether the answer, or the only element of its list, contains `success: false` or a variant of it. */
function saysNo(json: unknown): boolean {
  const only: unknown = Array.isArray(json) && json.length === 1 ? json[0] : json;
  return ['success', 'Success', 'sucesso', 'ok'].some((name) => {
    const value = at(only, name);
    return value === false || (typeof value === 'string' && value.toLowerCase() === 'false');
  });
}

type KnownCode = Exclude<HttpGatewayConfig['answer']['codes'][string], { means: 'accepted' }>;

function meaningOf(known: KnownCode, code: string): CodeMeaning {
  const params = { provider: 'gateway', code } as const;
  switch (known.means) {
    case 'refused':
      return refused(known.reason, { code: 'refuses_message', params: { ...params, more: null } });
    case 'temporary':
      return temporary({ code: 'asks_to_wait', params });
    case 'account':
      return account({ code: 'refuses_account', params });
    case 'ambiguous':
      return ambiguous({ code: 'perhaps_taken', params });
  }
}

function between(text: string, { after, before }: { after: string; before: string }): string | null {
  const start = text.indexOf(after);
  if (start === -1) return null;
  const rest = text.slice(start + after.length);
  const end = before === '' ? rest.length : rest.indexOf(before);
  const found = end === -1 ? '' : rest.slice(0, end).trim();
  return found === '' || found.length > 200 ? null : found;
}
