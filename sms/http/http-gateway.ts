import { toUSVString } from 'node:util';
import type { buildConnector } from 'undici';
import {
  type GatewayLocator,
  type GatewayPart,
  type GatewayPlaceholder,
  type HttpGatewayConfig,
  parseGatewayTemplate,
} from '../../domain/http-gateway.ts';
import { profiles, segmentsOf } from '../../domain/segments.ts';
import { outcomeOf, outcomeOfCode } from '../answers.ts';
import { parseJson, secretField } from '../callback.ts';
import { account, ambiguous, type CodeMeaning, ourCode, refused, temporary } from '../codes.ts';
import { asPayload, listAt, textAt } from '../json.ts';
import type {
  Callback,
  DeliveryReceipt,
  InboundMessage,
  Payload,
  Provider,
  SendOutcome,
  SendRequest,
} from '../provider.ts';
import { createReference, type Reference } from '../reference.ts';
import { knowsSecret } from '../secret.ts';
import { createTransport, type Exchange } from '../transport.ts';

export interface HttpGatewayOptions extends HttpGatewayConfig {
  /** {secret.name}. */
  values: Readonly<Record<string, string>>;
  callbackSecret: string;
  statusCallbackUrl: string;
  /** What our references begin with (sms/reference.ts). */
  reference: string;
  sendTimeoutMs: number;
  connections: number;
  /** Opens connections, and refuses those into the deployment's own network: the address comes from a user. */
  connect: buildConnector.connector;
}

/** What stands for the placeholders of one message. */
type Values = Readonly<Record<GatewayPlaceholder, string>>;
type Fill = (values: Values, escape: (value: string) => string) => string;

/** A gateway as docs/providers.md lets an admin describe it (domain/http-gateway.ts). */
export function createHttpGateway(options: HttpGatewayOptions): Provider {
  const { request, answer, receipts, inbound, from, values: secrets, callbackSecret } = options;
  const reference = createReference(options.reference);
  const compile = (template: string): Fill => compileTemplate(template, secrets);

  const [origin = ''] = /^https?:\/\/[^/?#]+/.exec(request.url) ?? [];
  const path = compile(request.url.slice(origin.length));
  const headers = Object.entries(request.headers).map(
    ([name, template]) => [name, compile(template)] as const,
  );
  const body = compileBody(request.body, compile);
  const transport = createTransport({
    baseUrl: origin,
    headers: body.type === null ? {} : { 'content-type': body.type },
    timeoutMs: options.sendTimeoutMs,
    connections: options.connections,
    connect: options.connect,
  });

  const valuesOf = ({ messageId, to, text }: SendRequest): Values => ({
    to: options.numbers === 'plus' ? to : to.slice(1),
    text: toUSVString(text),
    from,
    // SMPP's data coding, as far as gateways know it: GSM-7 or UCS-2.
    coding: segmentsOf(text, profiles.gsm).encoding === 'GSM-7' ? '0' : '2',
    // Of a test send nobody expects to hear again.
    messageId: String(messageId ?? 0),
    reference: reference.write(messageId ?? 0),
    receiptUrl:
      messageId === null
        ? ''
        : `${options.statusCallbackUrl}?${secretField}=${callbackSecret}&message=${messageId}`,
  });

  return {
    deduplicates: options.deduplicates,
    send: async (message) => {
      const values = valuesOf(message);
      let exchange: Exchange;
      try {
        exchange = await transport.send({
          method: request.method,
          // A template may end with the host.
          path: path(values, encodeURIComponent).replace(/^(?!\/)/, '/'),
          headers: headers.flatMap(([name, fill]) => [name, fill(values, plain)]),
          body: body.fill(values),
          mayLeave: message.mayLeave,
        });
      } catch (error) {
        if (!(error instanceof MissingSecret)) throw error;
        return { kind: 'account', ...ourCode('SECRET_MISSING'), detail: error.message };
      }
      return answerOutcome(exchange, answer, values.reference);
    },
    verify: (callback) => knowsSecret(callback, callbackSecret),
    readReceipts: (callback) =>
      receipts === null
        ? []
        : itemsOf(callback, receipts).flatMap((item) => readReceipt(item, receipts, reference)),
    readInbound: (callback) =>
      inbound === null ? [] : itemsOf(callback, inbound).flatMap((item) => readInbound(item, inbound, from)),
    close: () => transport.close(),
  };
}

class MissingSecret extends Error {}

const plain = (value: string): string => value;

function compileTemplate(template: string, secrets: Readonly<Record<string, string>>): Fill {
  const parsed = parseGatewayTemplate(template);
  if (!parsed.ok) throw new Error(`A template was saved without a check (${parsed.fault.code}).`);
  const valueOf = (part: GatewayPart, values: Values, escape: (value: string) => string): string => {
    if (typeof part === 'string') return part;
    if ('placeholder' in part) return escape(values[part.placeholder]);
    const secret = Object.hasOwn(secrets, part.secret) ? secrets[part.secret] : undefined;
    if (secret === undefined) throw new MissingSecret(`The provider has no secret "${part.secret}".`);
    return escape(secret);
  };
  return (values, escape) => parsed.parts.map((part) => valueOf(part, values, escape)).join('');
}

/** `fill` gives null for no body. */
function compileBody(
  body: HttpGatewayConfig['request']['body'],
  compile: (template: string) => Fill,
): { type: string | null; fill: (values: Values) => string | null } {
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
            .map(([name, fill]) => `${encodeURIComponent(name)}=${encodeURIComponent(fill(values, plain))}`)
            .join('&'),
      };
    }
    case 'json': {
      const fill = compileJson(body.template, compile);
      return { type: 'application/json', fill: (values) => JSON.stringify(fill(values)) };
    }
  }
}

/** Texts are filled in, and escaped by being written as JSON afterwards. */
function compileJson(value: unknown, compile: (template: string) => Fill): (values: Values) => unknown {
  if (typeof value === 'string') {
    const fill = compile(value);
    return (values) => fill(values, plain);
  }
  if (typeof value !== 'object' || value === null) return () => value;
  if (Array.isArray(value)) {
    const items = value.map((one) => compileJson(one, compile));
    return (values) => items.map((item) => item(values));
  }
  const fields = Object.entries(value).map(([name, one]) => [name, compileJson(one, compile)] as const);
  return (values) => Object.fromEntries(fields.map(([name, fill]) => [name, fill(values)]));
}

/**
 * The gateway's own code counts before all else. Without a code that is known, a 2xx says that the message was taken if
 * the message id is where it belongs, or if neither an id nor a code was to be expected.
 */
function answerOutcome(
  exchange: Exchange,
  answer: HttpGatewayConfig['answer'],
  reference: string,
): SendOutcome {
  if (exchange.kind === 'not_written' && exchange.code === 'AddressRefused') {
    const detail =
      "The gateway's address leads into a network where it may not be. An operator can allow it.";
    return { kind: 'account', ...ourCode(exchange.code), detail };
  }
  const text = exchange.kind === 'answered' ? exchange.body : null;
  const json = text === null ? null : parseJson(text);
  const find = (locator: GatewayLocator | null): string | null => {
    if (locator === null) return null;
    return locator.in === 'json' ? textAt(json, locator.path) : between(text ?? '', locator);
  };
  const providerMessageId = find(answer.messageId) ?? reference;
  const code = find(answer.code);
  const known = code !== null && Object.hasOwn(answer.codes, code) ? answer.codes[code] : undefined;
  if (code !== null && known !== undefined) {
    return known.means === 'accepted'
      ? { kind: 'accepted', providerMessageId }
      : outcomeOfCode(meaningOf(known, code), ourCode(code));
  }
  return outcomeOf(exchange, {
    provider: 'The gateway',
    accepted: () => {
      const silent = answer.messageId === null && answer.code === null;
      return silent || find(answer.messageId) !== null ? { kind: 'accepted', providerMessageId } : null;
    },
    errorCode: () => code,
    meaningOf: () => undefined,
  });
}

type KnownCode = Exclude<HttpGatewayConfig['answer']['codes'][string], { means: 'accepted' }>;

function meaningOf(known: KnownCode, code: string): CodeMeaning {
  switch (known.means) {
    case 'refused':
      return refused(known.reason, `The gateway refuses the message (${code}).`);
    case 'temporary':
      return temporary(`The gateway asks to try later (${code}).`);
    case 'account':
      return account(`The gateway refuses the account (${code}).`);
    case 'ambiguous':
      return ambiguous(`The gateway may have taken the message (${code}).`);
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

/** One receipt or message in a callback. */
interface Item {
  field: (name: string) => string | null;
  payload: Payload;
}

function itemsOf(
  callback: Callback,
  { format, list }: { format: 'query' | 'form' | 'json'; list: string | null },
): Item[] {
  const { query, form, json } = callback;
  const inQuery = Object.fromEntries(Object.entries(query).filter(([name]) => name !== secretField));
  const bodies =
    format === 'query' ? [{}] : format === 'form' ? [form] : list === null ? [json] : listAt(json, list);
  return bodies.map((body) => ({
    // A form's names are taken as they are: a dot in them is no path.
    field: (name) => (format === 'json' ? textAt(body, name) : ownText(body, name)) ?? ownText(inQuery, name),
    payload: format === 'query' ? inQuery : asPayload(body),
  }));
}

function ownText(fields: unknown, name: string): string | null {
  const [, value] = Object.entries(fields ?? {}).find(([one]) => one === name) ?? [];
  return typeof value === 'string' && value !== '' ? value : null;
}

function readReceipt(
  { field, payload }: Item,
  {
    messageId,
    providerMessageId,
    status,
    statuses,
    code,
    reasons,
  }: NonNullable<HttpGatewayConfig['receipts']>,
  reference: Reference,
): DeliveryReceipt[] {
  const word = field(status);
  const ours = field(messageId);
  const id = ours !== null && /^[1-9]\d{0,15}$/.test(ours) ? Number(ours) : reference.read(ours);
  const theirs =
    (providerMessageId === null ? null : field(providerMessageId)) ??
    (id === null ? null : reference.write(id));
  if (word === null || theirs === null) return [];
  const said = Object.hasOwn(statuses, word) ? statuses[word] : undefined;
  const ended = said === 'undelivered' || said === 'failed';
  const errorCode = code === null ? null : field(code);
  const reason = errorCode !== null && Object.hasOwn(reasons, errorCode) ? reasons[errorCode] : undefined;
  return [
    {
      messageId: id,
      providerMessageId: theirs,
      status: said === undefined || said === 'none' ? null : said,
      reason: ended ? (reason ?? 'not_delivered') : null,
      code: ended ? errorCode : null,
      payload,
    },
  ];
}

function readInbound(
  { field, payload }: Item,
  names: NonNullable<HttpGatewayConfig['inbound']>,
  sender: string,
): InboundMessage[] {
  const id = field(names.id);
  const from = field(names.from);
  if (id === null || from === null) return [];
  const to = (names.to === null ? null : field(names.to)) ?? sender;
  return [{ providerMessageId: id, from, to, text: field(names.text) ?? '', payload }];
}
