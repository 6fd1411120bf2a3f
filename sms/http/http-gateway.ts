import { createHash } from 'node:crypto';
import { toUSVString } from 'node:util';
import type { buildConnector } from 'undici';
import { basicAuthorization, type ClientCredentials } from '../../domain/client-credentials.ts';
import {
  type GatewayLocator,
  type GatewayPart,
  type GatewayPlaceholder,
  gatewayPlaceholders,
  type HttpGatewayConfig,
  parseGatewayTemplate,
} from '../../domain/http-gateway.ts';
import { profiles, segmentsOf } from '../../domain/segments.ts';
import { outcomeOf, outcomeOfCode, parseRetryAfter } from '../answers.ts';
import { missing, type Part, queryOf, quoted, readingOf, secretField, unreadPart } from '../callback.ts';
import { account, ambiguous, type CodeMeaning, outcomeCode, ourCode, refused, temporary } from '../codes.ts';
import { asPayload, at, findAt, findText, parseJson } from '../json.ts';
import type {
  AnsweringMessage,
  Call,
  DeliveryReceipt,
  InboundMessage,
  Payload,
  Provider,
  Reading,
  SendOutcome,
  SendRequest,
} from '../provider.ts';
import { createReference, type Reference } from '../reference.ts';
import { knowsSecret } from '../secret.ts';
import { createTransport, type Exchange, type Transport } from '../transport.ts';
import { decodeHex, encodeHex } from './hex.ts';
import { encodeLatin1, toLatin1 } from './latin1.ts';
import { createTable, type Table } from './table.ts';

/** Access tokens of the process, cached until they expire (mailing/access-tokens.ts). */
export interface AccessTokens {
  /** `refused`: until a user acts; `unavailable`: it may pass. */
  get(
    settings: ClientCredentials,
    secret: string,
  ): Promise<{ kind: 'token'; token: string } | { kind: 'refused' | 'unavailable'; code: string }>;
  /** Drops a token that was refused. */
  drop(settings: ClientCredentials, secret: string, token: string): void;
}

export interface HttpGatewayOptions extends HttpGatewayConfig {
  /** {secret.name}. */
  values: Readonly<Record<string, string>>;
  callbackSecret: string;
  statusCallbackUrl: string;
  /** The prefix of our references (sms/reference.ts). */
  reference: string;
  sendTimeoutMs: number;
  connections: number;
  /** Opens connections, and refuses those into the deployment's own network: the address comes from a user. */
  connect: buildConnector.connector;
  tokens: AccessTokens;
}

/** The values of the placeholders for one message. */
type Values = Readonly<Record<GatewayPlaceholder, string>>;
type Fill = (values: Values, escape: (value: string) => string) => string;

/** A gateway by an admin's description, as in docs/providers.md (domain/http-gateway.ts). */
export function createHttpGateway(options: HttpGatewayOptions): Provider {
  const { request, answer, receipts, inbound, from, codings, values: secrets, callbackSecret } = options;
  const reference = createReference(options.reference);
  const compile = (template: string): Fill => compileTemplate(template, secrets);

  const [origin = ''] = /^https?:\/\/[^/?#]+/.exec(request.url) ?? [];
  const path = compile(request.url.slice(origin.length));
  const headers = Object.entries(request.headers).map(
    ([name, template]) => [name, compile(template)] as const,
  );
  const encode = request.charset === 'utf-8' ? encodeURIComponent : encodeLatin1;
  const body = compileBody(request, compile, encode);
  const transport = createTransport({
    baseUrl: origin,
    headers: body.type === null ? {} : { 'content-type': body.type },
    ownUserAgent: headers.some(([name]) => name.toLowerCase() === 'user-agent'),
    timeoutMs: options.sendTimeoutMs,
    connections: options.connections,
    connect: options.connect,
  });
  const exchangeWith = createAuthorizedSend(transport, options);
  const codes = createTable(answer.codes);
  const reader: ReferenceReader = {
    reference,
    // Otherwise a number of the gateway's own could be mistaken for one of ours.
    isNumberSent: gatewayPlaceholders(options).some((name) => name === 'messageId' || name === 'receiptUrl'),
    isIdKnown: answer.messageId !== null,
  };
  const readReceipt = receipts === null ? null : createReceiptReader(receipts, reader);
  const credentials = new Set([callbackSecret, ...Object.values(secrets).filter(isLong)]);

  const valuesOf = ({ messageId, text }: SendRequest, to: string): Values => {
    const { encoding } = segmentsOf(text, profiles.gsm);
    return {
      to,
      text,
      get hex() {
        return encodeHex(text, encoding);
      },
      from,
      // SMPP's data coding, as gateways support it: GSM-7 or UCS-2.
      coding: encoding === 'GSM-7' ? codings.gsm : codings.unicode,
      // No receipt is expected for a test send.
      messageId: String(messageId ?? 0),
      reference: reference.write(messageId ?? 0),
      receiptUrl:
        messageId === null
          ? ''
          : `${options.statusCallbackUrl}?${secretField}=${callbackSecret}&message=${messageId}`,
    };
  };

  return {
    deduplicates: options.deduplicates,
    callbackAnswer: options.callbackAnswer,
    send: async (message) => {
      const to = numberAs(options.numbers, message.to);
      if (to === null) {
        const detail = { code: 'number_abroad', params: gateway } as const;
        return { kind: 'refused', reason: 'number_invalid', ...ourCode('NUMBER_ABROAD'), detail };
      }
      const wellFormed = toUSVString(message.text);
      const text = request.charset === 'utf-8' ? wellFormed : toLatin1(wellFormed);
      if (text === null) {
        const detail = { code: 'not_in_charset', params: gateway } as const;
        return { kind: 'refused', reason: 'content_refused', ...ourCode('NOT_IN_CHARSET'), detail };
      }
      const values = valuesOf({ ...message, text }, to);
      try {
        const exchange = await exchangeWith({
          method: request.method,
          // A template may end with the host.
          path: path(values, encode).replace(/^(?!\/)/, '/'),
          headers: headers.flatMap(([name, fill]) => [name, fill(values, plain)]),
          body: body.fill(values),
          mayLeave: message.mayLeave,
        });
        return 'exchange' in exchange
          ? answerOutcome(exchange.exchange, { ...answer, codes }, values.reference)
          : exchange.outcome;
      } catch (error) {
        if (!(error instanceof MissingSecret)) throw error;
        return {
          kind: 'account',
          ...ourCode('SECRET_MISSING'),
          detail: { code: 'secret_missing', params: { name: error.message } },
        };
      }
    },
    verify: (callback) => knowsSecret(callback, callbackSecret),
    referenceSuffices: true,
    receiptsById:
      reader.isIdKnown && (receipts?.providerMessageId ?? inbound?.providerMessageId ?? null) !== null,
    readReceipts: (call) =>
      receipts === null || readReceipt === null
        ? notDescribed(call, 'receipts')
        : readingOf(itemsOf(call, receipts, credentials).map(readReceipt)),
    readInbound: (call) =>
      inbound === null
        ? notDescribed(call, 'inbound')
        : readingOf(
            itemsOf(call, inbound, credentials).map((item) => readInbound(item, inbound, from, reader)),
          ),
    close: () => transport.close(),
  };
}

/** A number in the gateway's format; null: that format cannot represent it. */
function numberAs(numbers: HttpGatewayConfig['numbers'], e164: string): string | null {
  switch (numbers) {
    case 'plus':
      return e164;
    case 'digits':
      return e164.slice(1);
    case 'national':
      return e164.startsWith('+55') ? e164.slice(3) : null;
  }
}

const gateway = { provider: 'gateway' } as const;

type Authorized = { exchange: Exchange } | { outcome: SendOutcome };

/**
 * Sends with authentication. If the gateway refuses a token, requests a new one, once: a 401 means that the message was
 * not taken.
 */
function createAuthorizedSend(
  transport: Transport,
  { request: { authentication }, values, tokens }: HttpGatewayOptions,
): (request: Parameters<Transport['send']>[0]) => Promise<Authorized> {
  const secretOf = (name: string): string => {
    const secret = Object.hasOwn(values, name) ? values[name] : undefined;
    if (secret === undefined) throw new MissingSecret(name);
    return secret;
  };
  switch (authentication.kind) {
    case 'none':
      return async (request) => ({ exchange: await transport.send(request) });
    case 'basic':
      return async ({ headers = [], ...request }) => {
        const authorization = basicAuthorization(authentication.user, secretOf('password'));
        const all = [...headers, 'authorization', authorization];
        return { exchange: await transport.send({ ...request, headers: all }) };
      };
    case 'oauth2': {
      const { tokenUrl, clientId, scope, audience, clientAuthentication } = authentication;
      const credentials = { tokenUrl, clientId, scope, audience, clientAuthentication };
      const attempt = async (
        { headers = [], ...request }: Parameters<Transport['send']>[0],
        secret: string,
        isLast: boolean,
      ): Promise<Authorized> => {
        const answer = await tokens.get(credentials, secret);
        if (answer.kind !== 'token') return { outcome: withoutToken(answer) };
        const all = [...headers, 'authorization', `Bearer ${answer.token}`];
        const exchange = await transport.send({ ...request, headers: all });
        if (exchange.kind !== 'answered' || exchange.status !== 401) return { exchange };
        tokens.drop(credentials, secret, answer.token);
        return isLast ? { exchange } : attempt({ headers, ...request }, secret, true);
      };
      return (request) => attempt(request, secretOf('clientSecret'), false);
    }
  }
}

function withoutToken({ kind, code }: { kind: 'refused' | 'unavailable'; code: string }): SendOutcome {
  const detail = { code: 'no_access_token', params: { ...gateway, code } } as const;
  return kind === 'refused'
    ? { kind: 'account', ...ourCode(code), detail }
    : { kind: 'temporary', ...ourCode(code), detail, retryAfterMs: null, outage: true };
}

/** The message is the name of the secret. */
class MissingSecret extends Error {}

const plain = (value: string): string => value;

function compileTemplate(template: string, secrets: Readonly<Record<string, string>>): Fill {
  const parsed = parseGatewayTemplate(template);
  if (!parsed.ok) throw new Error(`A template was saved without a check (${parsed.fault.code}).`);
  const valueOf = (part: GatewayPart, values: Values, escape: (value: string) => string): string => {
    if (typeof part === 'string') return part;
    if ('placeholder' in part) return escape(values[part.placeholder]);
    const secret = Object.hasOwn(secrets, part.secret) ? secrets[part.secret] : undefined;
    if (secret === undefined) throw new MissingSecret(part.secret);
    return escape(secret);
  };
  return (values, escape) => parsed.parts.map((part) => valueOf(part, values, escape)).join('');
}

/** `fill` returns null for no body. */
function compileBody(
  { body, charset }: HttpGatewayConfig['request'],
  compile: (template: string) => Fill,
  encode: (text: string) => string,
): { type: string | null; fill: (values: Values) => string | Buffer | null } {
  switch (body.kind) {
    case 'none':
      return { type: null, fill: () => null };
    case 'form': {
      const fields = Object.entries(body.fields).map(
        ([name, template]) => [name, compile(template)] as const,
      );
      return {
        type: 'application/x-www-form-urlencoded',
        fill: (values) =>
          fields
            .map(([name, fill]) => [name, fill(values, plain)] as const)
            // Omits empty parameters: many gateways reject an empty address or sender as invalid.
            .filter(([, value]) => value !== '')
            .map(([name, value]) => `${encode(name)}=${encode(value)}`)
            .join('&'),
      };
    }
    case 'json': {
      const fill = compileJson(body.template, compile);
      return charset === 'utf-8'
        ? { type: 'application/json', fill: (values) => JSON.stringify(fill(values)) }
        : {
            type: 'application/json; charset=ISO-8859-1',
            fill: (values) => Buffer.from(JSON.stringify(fill(values)), 'latin1'),
          };
    }
  }
}

/** Fills in the texts first; writing the result as JSON then escapes them. */
function compileJson(value: unknown, compile: (template: string) => Fill): (values: Values) => unknown {
  if (typeof value === 'string') {
    const fill = compile(value);
    return isAsJson(value) ? (values) => scalarOf(fill(values, plain)) : (values) => fill(values, plain);
  }
  if (typeof value !== 'object' || value === null) return () => value;
  if (Array.isArray(value)) {
    const items = value.map((one) => compileJson(one, compile));
    return (values) => items.map((item) => item(values));
  }
  const fields = Object.entries(value).map(([name, one]) => [name, compileJson(one, compile)] as const);
  return (values) => Object.fromEntries(fields.map(([name, fill]) => [name, fill(values)]));
}

/** Whether a text of a JSON body is written as a number, true or false. */
function isAsJson(template: string): boolean {
  const parsed = parseGatewayTemplate(template);
  const [part] = parsed.ok ? parsed.parts : [];
  return typeof part === 'object' && 'placeholder' in part && part.asJson;
}

/** A number, true or false if JSON can represent the text exactly; else the text. */
function scalarOf(text: string): number | boolean | string {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return String(number) === text && Number.isFinite(number) ? number : text;
}

/**
 * The gateway's own code takes precedence. A 2xx with an unlisted code may mean anything, with or without an id; an
 * explicit `success: false` is a refusal. Without a code, a 2xx means that the message was taken if the message id is
 * in its place, or if neither an id nor a code was expected.
 */
function answerOutcome(
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
    // The pattern for everything else matched: the value is not from a closed set.
    const reported = known.label === '' ? outcomeCode(word, false, 'UNLISTED_CODE') : ourCode(known.label);
    const outcome = outcomeOfCode(meaningOf(known.value, reported.publicCode), reported);
    return outcome.kind === 'temporary' ? { ...outcome, ...waitOf(exchange) } : outcome;
  }
  // An unlisted status is treated like any other status.
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

/** For a gateway that takes no messages now, rather than refusing only this one. */
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

/** Whether the answer, or the only element of its list, contains `success: false`, in the words that gateways use. */
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

const notDescribed = (call: Call, kind: 'receipts' | 'inbound'): Reading<never> =>
  readingOf<never>([unreadPart(call, { code: 'not_described', params: { kind } })]);

/** One receipt or message in a callback. */
interface Item {
  /** The value of a field as text; null if it is missing or not a scalar. */
  field: (name: string) => string | null;
  /** Whether the field exists and is empty. */
  isEmpty: (name: string) => boolean;
  payload: Payload;
  /** A callback with only this item. */
  call: Call;
}

/**
 * The items of a callback, read as described or in a related format: JSON instead of a form, a list instead of one
 * object, and the reverse. Fields that the body lacks are read from the URL.
 */
function itemsOf(call: Call, { list }: { list: string | null }, credentials: ReadonlySet<unknown>): Item[] {
  const { form, json } = call;
  const inQuery = queryOf(call);
  const keptQuery = withoutCredentials(inQuery, credentials);
  const keptForm = withoutCredentials(form, credentials);
  const isForm = Object.keys(form).length > 0;
  const bodies: unknown[] = json !== null ? jsonItems(json, list) : [isForm ? form : {}];
  return bodies.map((body) => ({
    field: (name) => findText(body, name) ?? findText(inQuery, name),
    isEmpty: (name) => {
      const found = findAt(body, name) ?? findAt(inQuery, name);
      return found === '' || (found === undefined && findAt(body, name) === null);
    },
    payload: json !== null ? withoutCredentials(asPayload(body), credentials) : isForm ? keptForm : keptQuery,
    call: {
      ...call,
      query: keptQuery,
      form: keptForm,
      json:
        isObject(body) && json !== null ? withoutCredentials(body, credentials) : json === null ? null : body,
    },
  }));
}

const isObject = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A shorter value may appear in a callback by chance. */
const isLong = (secret: string): boolean => secret.length >= 8;

/** Some gateways authenticate with our own credentials: these are not stored. */
function withoutCredentials<T>(
  fields: Record<string, T>,
  credentials: ReadonlySet<unknown>,
): Record<string, T> {
  const entries = Object.entries(fields);
  return entries.some(([, value]) => credentials.has(value))
    ? Object.fromEntries(entries.filter(([, value]) => !credentials.has(value)))
    : fields;
}

function jsonItems(json: unknown, list: string | null): unknown[] {
  const found = (list === null ? undefined : findAt(json, list)) ?? json;
  return Array.isArray(found) ? found : [found];
}

interface ReferenceReader {
  reference: Reference;
  /** Whether the gateway receives the plain number of a message, and may return it instead of the reference. */
  isNumberSent: boolean;
  /** Whether the gateway's answer contains its own id of the message. */
  isIdKnown: boolean;
}

/** The message that a receipt refers to: the id of ours, a test send's, which belongs to no run, or none of ours. */
function messageIdOf(ours: string | null, { reference, isNumberSent }: ReferenceReader) {
  if (ours === null) return null;
  if (ours === reference.write(0) || (isNumberSent && ours === '0')) return 'test';
  return isNumberSent && /^[1-9]\d{0,15}$/.test(ours) ? Number(ours) : reference.read(ours);
}

function createReceiptReader(
  names: NonNullable<HttpGatewayConfig['receipts']>,
  reader: ReferenceReader,
): (item: Item) => Part<DeliveryReceipt> {
  const statuses = createTable(names.statuses);
  const reasons = createTable(names.reasons);
  return ({ field, payload, call }) => {
    const ours = field(names.messageId);
    const id = messageIdOf(ours, reader);
    if (id === 'test') return null;
    const theirs = names.providerMessageId === null ? null : field(names.providerMessageId);
    const word = field(names.status);
    if (word === null) return unreadPart(call, missing(call, names.status), id);
    const status = statuses(word)?.value;
    if (status === undefined)
      return unreadPart(call, { code: 'status_unknown', params: { status: quoted(word) } }, id);
    if (id === null && (theirs === null || !reader.isIdKnown)) {
      // It concerns no message, such as a heartbeat.
      if (status === 'none') return null;
      const ids = reader.isIdKnown && names.providerMessageId !== null ? [names.providerMessageId] : [];
      return unreadPart(
        call,
        ours === null
          ? { code: 'reference_missing', params: { fields: [names.messageId, ...ids] } }
          : { code: 'reference_unknown', params: { reference: quoted(ours) } },
      );
    }
    const ended = status === 'undelivered' || status === 'failed';
    const code = names.code === null ? null : field(names.code);
    const reason = code === null ? undefined : reasons(code);
    return {
      read: {
        messageId: id,
        providerMessageId: theirs,
        status: status === 'none' ? null : status,
        reason: ended ? (reason?.value ?? 'not_delivered') : null,
        code: ended ? (reason?.label ?? code) : null,
        payload,
        call,
      },
    };
  };
}

function readInbound(
  item: Item,
  names: NonNullable<HttpGatewayConfig['inbound']>,
  sender: string,
  reader: ReferenceReader,
): Part<InboundMessage | AnsweringMessage> {
  const { field, payload, call } = item;
  const optional = (name: string | null): string | null => (name === null ? null : field(name));
  const writer = optional(names.from);
  // Some gateways return our own reference as the sender.
  const from = reader.reference.read(writer) === null ? writer : null;
  const ours = messageIdOf(optional(names.messageId), reader);
  const theirs = reader.isIdKnown ? optional(names.providerMessageId) : null;
  if (from === null && typeof ours !== 'number' && theirs === null) {
    const [first = ''] = [names.from, names.messageId, names.providerMessageId].flatMap((name) => name ?? []);
    return unreadPart(call, missing(call, first));
  }
  const text = inboundText(item, names);
  if (text === null) {
    const isHex = names.hex !== null && field(names.hex) !== null;
    return unreadPart(call, missing(call, isHex ? (names.coding ?? names.text) : names.text));
  }
  const to = optional(names.to) ?? sender;
  const id =
    optional(names.id) ?? madeId([from ?? `${ours ?? ''} ${theirs ?? ''}`, to, text], call.receivedAt);
  const common = { providerMessageId: id, to, text, payload };
  if (from !== null) return { read: { ...common, from } };
  const answers = { messageId: typeof ours === 'number' ? ours : null, providerMessageId: theirs };
  return { read: { ...common, from, answers, call } };
}

/** Null: no text, not even an empty one. */
function inboundText(
  { field, isEmpty }: Item,
  { text, hex, coding }: NonNullable<HttpGatewayConfig['inbound']>,
): string | null {
  const digits = hex === null ? null : field(hex);
  const codingOf = coding === null ? null : field(coding);
  const decoded = digits === null || codingOf === null ? null : decodeHex(digits, codingOf);
  const isNothing = isEmpty(text) || (hex !== null && isEmpty(hex));
  return decoded ?? field(text) ?? (isNothing ? '' : null);
}

/** An id for a message without one: the same if it is repeated within the minute. */
function madeId(parts: readonly string[], receivedAt: Date): string {
  const minute = Math.floor(receivedAt.getTime() / 60_000);
  return `made-${createHash('sha256')
    .update(JSON.stringify([...parts, minute]))
    .digest('base64url')
    .slice(0, 22)}`;
}
