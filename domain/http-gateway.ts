import { z } from 'zod';
import { failureReasons } from './message.ts';
import { coded, codedIssue, type Fault, fault } from './problems/coded.ts';

/**
 * An SMS gateway that is described instead of programmed: how it takes a message, what its answers mean, and how its
 * receipts and replies arrive. docs/providers.md explains each part and has Kannel as its example.
 *
 * Templates hold placeholders in braces; a literal brace is written twice. What a placeholder stands for is escaped for
 * its place: URL-encoded in the URL and in form fields, as JSON in a JSON body.
 */

/** What a template may stand for, and in headers, which carry ASCII without line breaks. */
const placeholders = ['to', 'text', 'from', 'messageId', 'reference', 'receiptUrl', 'coding'] as const;
const headerPlaceholders: readonly string[] = ['to', 'messageId', 'reference'];
export type GatewayPlaceholder = (typeof placeholders)[number];

/** A template taken apart: literal texts, and what stands between them. */
export type GatewayPart = string | { placeholder: GatewayPlaceholder } | { secret: string };

const brace = /\{\{|\}\}|\{(?<name>[^{}]*)\}|[{}]/g;
const secretName = /^[a-z][A-Za-z0-9]{0,39}$/;

/** The parts of a template, or what is wrong with it. */
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
  const placeholder = placeholders.find((one) => one === name);
  return placeholder === undefined ? null : { placeholder };
}

const template = z
  .string()
  .max(2_000)
  .superRefine((text, context) => {
    const parsed = parseGatewayTemplate(text);
    if (!parsed.ok) context.addIssue(codedIssue(parsed.fault));
  });

/** The host is fixed: what stands for something begins after it. */
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

/** Headers that belong to the connection or to the body, and are set by us. */
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
/** Holds itself, so it needs a name wherever it is described (api/http/openapi.ts). */
const json = z.json();
z.globalRegistry.add(json, { id: 'Json' });
/** JSON whose texts are templates. */
const jsonTemplate = json.superRefine((value, context) => {
  const check = (one: unknown, depth: number): void => {
    if (depth > maxJsonDepth) context.addIssue(codedIssue(fault('nested_too_deep')));
    else if (typeof one === 'string') {
      const parsed = parseGatewayTemplate(one);
      if (!parsed.ok) context.addIssue(codedIssue(parsed.fault));
    } else if (typeof one === 'object' && one !== null) {
      for (const inner of Object.values(one)) check(inner, depth + 1);
    }
  };
  check(value, 0);
});

const field = z.string().min(1).max(100);
const code = z.string().min(1).max(60);
const failureReason = z.enum(failureReasons);
/** For `superRefine` of a record. */
const atMost =
  (maximum: number) =>
  (record: Readonly<Record<string, unknown>>, context: z.core.$RefinementCtx): void => {
    if (Object.keys(record).length > maximum) context.addIssue(codedIssue(fault('too_many', { maximum })));
  };
const few = atMost(200);

/** Where a value stands in an answer: at a dotted path of JSON, or between two literal texts. */
const locator = z.discriminatedUnion('in', [
  z.strictObject({ in: z.literal('json'), path: field }),
  z.strictObject({
    in: z.literal('text'),
    /** Empty: from the beginning. */
    after: z.string().max(60),
    /** Empty: to the end. */
    before: z.string().max(60),
  }),
]);
export type GatewayLocator = z.infer<typeof locator>;

const codeMeaning = z.discriminatedUnion('means', [
  z.strictObject({ means: z.literal('accepted') }),
  z.strictObject({ means: z.literal('refused'), reason: failureReason.default('request_refused') }),
  z.strictObject({ means: z.literal('temporary') }),
  z.strictObject({ means: z.literal('account') }),
  z.strictObject({ means: z.literal('ambiguous') }),
]);

const request = z
  .strictObject({
    method: z.enum(['GET', 'POST', 'PUT']),
    url: urlTemplate,
    headers: z.record(headerName, headerTemplate).superRefine(few).default({}),
    body: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('none') }),
        z.strictObject({
          kind: z.literal('form'),
          fields: z.record(field, template).superRefine(few),
        }),
        z.strictObject({ kind: z.literal('json'), template: jsonTemplate }),
      ])
      .default({ kind: 'none' }),
  })
  .refine(({ method, body }) => method !== 'GET' || body.kind === 'none', {
    path: ['body'],
    error: coded('gateway_get_body'),
  });

const answer = z.strictObject({
  /** The gateway's id of the message; null: it gives none. */
  messageId: locator.nullable().default(null),
  /** The gateway's code, of success or error; null: only the HTTP status tells. */
  code: locator.nullable().default(null),
  /** What codes mean. An answer with another code is judged by its HTTP status. */
  codes: z.record(code, codeMeaning).superRefine(few).default({}),
});

/** `query`: the fields of the URL; `form`: of the body; `json`: dotted paths. All may fall back on the query. */
const format = z.enum(['query', 'form', 'json']);

const receipts = z.strictObject({
  format,
  /** JSON: where the list of receipts stands; null: the body is one. */
  list: field.nullable().default(null),
  /** What came of {messageId} or {reference}; in {receiptUrl} it is `message`. */
  messageId: field.default('message'),
  /** Null: the gateway gives none. */
  providerMessageId: field.nullable().default(null),
  status: field,
  /** `none`: tells nothing new. So does a status that is not listed. */
  statuses: z.record(code, z.enum(['sent', 'delivered', 'undelivered', 'failed', 'none'])).superRefine(few),
  /** The gateway's or the carrier's error code. */
  code: field.nullable().default(null),
  reasons: z.record(code, failureReason).superRefine(few).default({}),
});

const inbound = z.strictObject({
  format,
  list: field.nullable().default(null),
  /** The gateway's id of the message: a repetition has the same. */
  id: field,
  from: field,
  /** Null: it was written to our sender. */
  to: field.nullable().default(null),
  text: field,
});

/** What an `http` provider has in `providers.config`, besides its kind. */
export const httpGatewayFields = {
  /** {from}: who the message comes from. */
  from: z.string().trim().max(64).default(''),
  /** How {to} is written: +5511988887777 or 5511988887777. */
  numbers: z.enum(['plus', 'digits']).default('plus'),
  request,
  answer: answer.prefault({}),
  receipts: receipts.nullable().default(null),
  inbound: inbound.nullable().default(null),
  /** The gateway itself refuses a second message with the same {reference}: then one whose answer was lost is sent again. */
  deduplicates: z.boolean().default(false),
};

export type HttpGatewayConfig = z.infer<z.ZodObject<typeof httpGatewayFields>>;

/** {secret.name}: by name. They may go into headers. */
export const httpGatewaySecrets = z
  .record(
    z.string().regex(secretName, coded('gateway_secret_name')),
    z.string().regex(/^[\x20-\x7e]{1,1000}$/, coded('gateway_secret_value')),
  )
  .superRefine(atMost(20))
  .default({});

/** The names of the secrets that a gateway's templates use. */
export function gatewaySecretNames({ request }: Pick<HttpGatewayConfig, 'request'>): string[] {
  const names = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      const parsed = parseGatewayTemplate(value);
      for (const part of parsed.ok ? parsed.parts : []) {
        if (typeof part === 'object' && 'secret' in part) names.add(part.secret);
      }
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(look);
  };
  look([request.url, request.headers, request.body]);
  return [...names];
}
