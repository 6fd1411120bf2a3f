import { z } from 'zod';
import { clientCredentials, userName } from './client-credentials.ts';
import { failureReasons } from './message.ts';
import { coded, codedIssue, type Fault, fault } from './problems/coded.ts';

/**
 * An SMS gateway defined by a description instead of code: how it accepts a message, what its answers mean, and how its
 * receipts and replies arrive. docs/providers.md explains each part, and examples/gateways contains descriptions of six
 * gateways.
 *
 * Templates contain placeholders in braces; a literal brace is doubled. The value of a placeholder is escaped for its
 * position: URL-encoded in the URL and in form fields, as JSON in a JSON body.
 */

/** The placeholders of a template, and those allowed in headers, which must be ASCII without line breaks. */
const placeholders = ['to', 'text', 'hex', 'from', 'messageId', 'reference', 'receiptUrl', 'coding'] as const;
const headerPlaceholders: readonly string[] = ['to', 'messageId', 'reference'];
export type GatewayPlaceholder = (typeof placeholders)[number];

/** A parsed template: literal texts, and the placeholders between them. */
export type GatewayPart =
  | string
  | {
      placeholder: GatewayPlaceholder;
      /** `{json:to}`: the whole value of a JSON text, written as a number, true or false instead of a text. */
      asJson: boolean;
    }
  | { secret: string };

const brace = /\{\{|\}\}|\{(?<name>[^{}]*)\}|[{}]/g;
const jsonPrefix = 'json:';
const secretName = /^[a-z][A-Za-z0-9]{0,39}$/;

/** The parts of a template, or its problem. */
export function parseGatewayTemplate(
  template: string,
): { ok: true; parts: GatewayPart[] } | { ok: false; fault: Fault } {
  const parts: GatewayPart[] = [];
  let literal = '';
  let end = 0;
  for (const match of template.matchAll(brace)) {
    literal += template.slice(end, match.index);
    end = match.index + match[0].length;
    const name = match.groups?.['name'];
    if (match[0] === '{{' || match[0] === '}}') literal += match[0].charAt(0);
    else if (name === undefined) {
      return { ok: false, fault: fault('gateway_brace', { template }) };
    } else {
      const part = partOf(name);
      if (part === null) {
        return { ok: false, fault: fault('gateway_placeholder', { name, known: [...placeholders] }) };
      }
      if (literal !== '') parts.push(literal);
      parts.push(part);
      literal = '';
    }
  }
  literal += template.slice(end);
  if (literal !== '') parts.push(literal);
  return { ok: true, parts };
}

function partOf(name: string): GatewayPart | null {
  if (name.startsWith('secret.')) {
    const secret = name.slice('secret.'.length);
    return secretName.test(secret) ? { secret } : null;
  }
  const asJson = name.startsWith(jsonPrefix);
  const placeholder = placeholders.find((one) => one === (asJson ? name.slice(jsonPrefix.length) : name));
  return placeholder === undefined ? null : { placeholder, asJson };
}

/** The problem of a template; null: none. Only JSON allows writing a text as another type. */
function templateFault(text: string, { inJson }: { inJson: boolean }): Fault | null {
  const parsed = parseGatewayTemplate(text);
  if (!parsed.ok) return parsed.fault;
  for (const part of parsed.parts) {
    if (typeof part === 'string' || !('placeholder' in part) || !part.asJson) continue;
    if (!inJson || parsed.parts.length > 1) return fault('gateway_not_alone', { name: part.placeholder });
  }
  return null;
}

const template = z
  .string()
  .max(2_000)
  .superRefine((text, context) => {
    const wrong = templateFault(text, { inJson: false });
    if (wrong) context.addIssue(codedIssue(wrong));
  });

/** The host is fixed: placeholders come after it. */
const urlTemplate = template
  .regex(/^[\x21-\x7e]*$/, coded('gateway_url_characters'))
  .superRefine((text, context) => {
    if (!/^https?:\/\/[^/?#{}\s]+(?=[/?#]|$)/.test(text)) {
      context.addIssue(codedIssue(fault('gateway_url_host')));
      return;
    }
    const sample = text.replaceAll(/\{[^{}]*\}/g, 'x');
    if (!URL.canParse(sample)) context.addIssue(codedIssue(fault('gateway_url_invalid')));
    else {
      const { username, password, hash } = new URL(sample);
      if (username !== '' || password !== '') context.addIssue(codedIssue(fault('gateway_url_credentials')));
      if (hash !== '') context.addIssue(codedIssue(fault('gateway_url_fragment')));
    }
  });

/** Headers of the connection or of the body, which Torpedo sets. */
const ownHeaders = [
  'host',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
  'expect',
  'upgrade',
];
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,60}$/, coded('gateway_header_name'))
  .refine((name) => !ownHeaders.includes(name.toLowerCase()), coded('header_reserved'));
const headerTemplate = template
  .regex(/^[\x20-\x7e]*$/, coded('gateway_header_value'))
  .superRefine((text, context) => {
    const parsed = parseGatewayTemplate(text);
    for (const part of parsed.ok ? parsed.parts : []) {
      if (
        typeof part === 'object' &&
        'placeholder' in part &&
        !headerPlaceholders.includes(part.placeholder)
      ) {
        context.addIssue(codedIssue(fault('gateway_not_in_header', { name: part.placeholder })));
      }
    }
  });

const maxJsonDepth = 8;
/** Recursive, so it needs a name wherever it is described (api/http/openapi.ts). */
const json = z.json();
z.globalRegistry.add(json, { id: 'Json' });
/** JSON with templates as its texts. */
const jsonTemplate = json.superRefine((value, context) => {
  const check = (one: unknown, depth: number): void => {
    if (depth > maxJsonDepth) context.addIssue(codedIssue(fault('nested_too_deep')));
    else if (typeof one === 'string') {
      const wrong = templateFault(one, { inJson: true });
      if (wrong) context.addIssue(codedIssue(wrong));
    } else if (typeof one === 'object' && one !== null) {
      for (const inner of Object.values(one)) check(inner, depth + 1);
    }
  };
  check(value, 0);
});

const coding = z.string().max(30);
const field = z.string().min(1).max(100);
/** In the keys of `codes`, `statuses` and `reasons`, `*` matches anything. */
const code = z.string().min(1).max(100);
const failureReason = z.enum(failureReasons);
/** For `superRefine` of a record. */
const atMost =
  (maximum: number) =>
  (record: Readonly<Record<string, unknown>>, context: z.core.$RefinementCtx): void => {
    if (Object.keys(record).length > maximum) context.addIssue(codedIssue(fault('too_many', { maximum })));
  };
const few = atMost(200);

const inJson = z.strictObject({ in: z.literal('json'), path: field });
const inText = z.strictObject({
  in: z.literal('text'),
  /** Empty: from the start. */
  after: z.string().max(60),
  /** Empty: to the end. */
  before: z.string().max(60),
});
/** Where an answer contains a value: at a dotted path of JSON, or between two literal texts. */
const locator = z.discriminatedUnion('in', [inJson, inText]);
/** The HTTP status can be the code: a status that is not listed is treated as if there were no code. */
const codeLocator = z.discriminatedUnion('in', [inJson, inText, z.strictObject({ in: z.literal('status') })]);
export type GatewayLocator = z.infer<typeof codeLocator>;

const codeMeaning = z.discriminatedUnion('means', [
  z.strictObject({ means: z.literal('accepted') }),
  z.strictObject({ means: z.literal('refused'), reason: failureReason.default('request_refused') }),
  z.strictObject({ means: z.literal('temporary') }),
  z.strictObject({ means: z.literal('account') }),
  z.strictObject({ means: z.literal('ambiguous') }),
]);

/** The secrets of `secrets.values` that authentication uses. */
const authenticationSecrets = { basic: 'password', oauth2: 'clientSecret' } as const;

/** The authentication besides the templates. The secret is {secret.password} or {secret.clientSecret}. */
const authentication = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('basic'), user: userName }),
  clientCredentials.extend({ kind: z.literal('oauth2') }),
]);

export const gatewayBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('form'),
    fields: z.record(field, template).superRefine(few),
  }),
  z.strictObject({ kind: z.literal('json'), template: jsonTemplate }),
]);

const request = z
  .strictObject({
    method: z.enum(['GET', 'POST', 'PUT']),
    url: urlTemplate,
    headers: z.record(headerName, headerTemplate).superRefine(few).default({}),
    authentication: authentication.default({ kind: 'none' }),
    /** Of the URL and the body. ISO-8859-1 can contain more characters than GSM-7, and fewer than UCS-2. */
    charset: z.enum(['utf-8', 'iso-8859-1']).default('utf-8'),
    body: gatewayBody.default({ kind: 'none' }),
  })
  .refine(({ method, body }) => method !== 'GET' || body.kind === 'none', {
    path: ['body'],
    error: coded('gateway_get_body'),
  })
  .superRefine(({ headers, authentication }, context) => {
    const taken = Object.keys(headers).find((name) => name.toLowerCase() === 'authorization');
    if (taken === undefined || authentication.kind === 'none') return;
    context.addIssue(codedIssue(fault('header_reserved'), ['headers', taken]));
  });

const answer = z.strictObject({
  /** The gateway's id of the message; null: the answer contains none. */
  messageId: locator.nullable().default(null),
  /** The gateway's code, of success or error; null: only the HTTP status counts. */
  code: codeLocator.nullable().default(null),
  /** The meaning of codes. A 2xx with an unlisted code may mean accepted; other answers are judged by HTTP status. */
  codes: z.record(code, codeMeaning).superRefine(few).default({}),
});

/** `query`: fields of the URL; `form`: fields of the body; `json`: dotted paths. All fall back to the query. */
const format = z.enum(['query', 'form', 'json']);

const receipts = z.strictObject({
  format,
  /** JSON: the path of the list of receipts; null: the body is one receipt. */
  list: field.nullable().default(null),
  /** The field with the value of {messageId} or {reference}; in {receiptUrl} it is `message`. */
  messageId: field.default('message'),
  /** Null: the gateway sends none. */
  providerMessageId: field.nullable().default(null),
  status: field,
  /** `none`: nothing new. Unlisted statuses count as `none`. */
  statuses: z.record(code, z.enum(['sent', 'delivered', 'undelivered', 'failed', 'none'])).superRefine(few),
  /** The gateway's or the carrier's error code. */
  code: field.nullable().default(null),
  reasons: z.record(code, failureReason).superRefine(few).default({}),
});

const inbound = z
  .strictObject({
    format,
    list: field.nullable().default(null),
    /** The gateway's id, which a repetition shares. Null: generated from sender, recipient, text and minute. */
    id: field.nullable().default(null),
    /** Null: the gateway only identifies the answered message, whose recipient is the sender. */
    from: field.nullable().default(null),
    /** Our reference of the answered message. */
    messageId: field.nullable().default(null),
    /** The gateway's id of the answered message. */
    providerMessageId: field.nullable().default(null),
    /** Null: our sender received it ({from}). */
    to: field.nullable().default(null),
    text: field,
    /** The bytes of the text as hexadecimal digits: decoded if `coding` indicates UTF-16 or ISO-8859-1. */
    hex: field.nullable().default(null),
    /** SMPP's data coding of the text. */
    coding: field.nullable().default(null),
  })
  .refine(
    ({ from, messageId, providerMessageId }) =>
      from !== null || messageId !== null || providerMessageId !== null,
    {
      path: ['from'],
      error: coded('gateway_no_writer'),
    },
  );

/** The body of our answer to every callback: some gateways repeat a callback until they get the answer they expect. */
const callbackAnswer = z
  .strictObject({
    status: z.int().min(200).max(299).default(204),
    body: z.string().max(500).default(''),
  })
  .refine(({ status, body }) => body === '' || (status !== 204 && status !== 205), {
    path: ['status'],
    error: coded('gateway_answer_empty'),
  });

/** The fields of an `http` provider in `providers.config`, besides its kind. */
export const httpGatewayFields = {
  /** {from}: the sender of the message. */
  from: z.string().trim().max(64).default(''),
  /** The format of {to}: +5511988887777, 5511988887777, or 11988887777, which is only for Brazil. */
  numbers: z.enum(['plus', 'digits', 'national']).default('plus'),
  /** The value of {coding} for a text that fits GSM-7, and for any other. */
  codings: z.strictObject({ gsm: coding.default('0'), unicode: coding.default('2') }).prefault({}),
  request,
  answer: answer.prefault({}),
  receipts: receipts.nullable().default(null),
  inbound: inbound.nullable().default(null),
  callbackAnswer: callbackAnswer.prefault({}),
  /** The gateway refuses a second message with the same {reference}: one without an answer is sent again. */
  deduplicates: z.boolean().default(false),
};

export type HttpGatewayConfig = z.infer<z.ZodObject<typeof httpGatewayFields>>;

/** {secret.name}: by name. Allowed in headers. */
export const httpGatewaySecrets = z
  .record(
    z.string().regex(secretName, coded('gateway_secret_name')),
    z.string().regex(/^[\x20-\x7e]{1,1000}$/, coded('gateway_secret_value')),
  )
  .superRefine(atMost(20))
  .default({});

type Request = Pick<HttpGatewayConfig, 'request'>;

/** The placeholders in a gateway's templates. */
function filledParts({ request }: Request): Exclude<GatewayPart, string>[] {
  const parts: Exclude<GatewayPart, string>[] = [];
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      const parsed = parseGatewayTemplate(value);
      for (const part of parsed.ok ? parsed.parts : []) if (typeof part === 'object') parts.push(part);
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(look);
  };
  look([request.url, request.headers, request.body]);
  return parts;
}

/** The message data that a gateway receives. */
export const gatewayPlaceholders = (config: Request): GatewayPlaceholder[] =>
  filledParts(config).flatMap((part) => ('placeholder' in part ? [part.placeholder] : []));

/** The names of the secrets that a gateway's templates use. */
export function gatewaySecretNames(config: Request): string[] {
  const names = new Set(filledParts(config).flatMap((part) => ('secret' in part ? [part.secret] : [])));
  const { kind } = config.request.authentication;
  if (kind !== 'none') names.add(authenticationSecrets[kind]);
  return [...names];
}
