import { parseJson } from './json.ts';
import type { UnreadFault } from '../domain/problems/callbacks.ts';
import type { Call, Callback, Fields, Reading, Unread } from './provider.ts';

/** The query field with the secret, in the callback URL of a provider that cannot sign. Never stored. */
export const secretField = 'key';

/** More fields than any provider sends. Parsing comes before authentication, so it must be cheap. */
const maxFields = 1_000;

/**
 * A provider's callback as adapters read it. `url` is the public URL, exactly as the provider called it. The format of
 * the body is detected from its content, because many gateways send JSON as text, and forms without a content type.
 */
export function createCallback({
  method,
  url,
  headers,
  rawBody,
}: Pick<Callback, 'method' | 'url' | 'headers' | 'rawBody'>): Callback {
  const type = headers['content-type']?.toString() ?? '';
  // Some providers call our URL in HTML-escaped form: `?key=…&amp;message=7`.
  const queryAt = url.indexOf('?');
  const json = isJson.test(rawBody) ? parseJson(rawBody) : null;
  const form = json === null ? formOf(rawBody, type) : {};
  return {
    method,
    url,
    headers,
    query: queryAt === -1 ? {} : fieldsOf(url.slice(queryAt + 1).replaceAll(/&amp;/gi, '&')),
    form,
    json,
    text: json === null && isEmpty(form) ? rawBody : '',
    rawBody,
    receivedAt: new Date(),
  };
}

const isEmpty = (fields: Fields): boolean => {
  for (const _ in fields) return false;
  return true;
};

/** The query fields without our secret: those that the provider added to the URL. */
export const queryOf = ({ query }: Call): Fields =>
  Object.fromEntries(Object.entries(query).filter(([name]) => name !== secretField));

/** Whether the call is empty, as when a user tests the address. */
export const isSilent = (call: Call): boolean =>
  call.json === null && call.text.trim() === '' && isEmpty(call.form) && isEmpty(queryOf(call));

/** One part of a callback; null if it contains nothing for us. */
export type Part<T> = { read: T } | { unread: Unread } | null;

export function readingOf<T>(parts: readonly Part<T>[]): Reading<T> {
  const read: T[] = [];
  const unread: Unread[] = [];
  for (const part of parts) {
    if (part === null) continue;
    if ('read' in part) read.push(part.read);
    else unread.push(part.unread);
  }
  return { read, unread };
}

export const unreadPart = (
  call: Call,
  fault: UnreadFault,
  messageId: number | null = null,
): { unread: Unread } => ({ unread: { fault, messageId, call } });

/** The fault for a missing field. If the body could not be parsed, that is the fault. */
export const missing = (call: Call, field: string): UnreadFault =>
  call.text.trim() === ''
    ? { code: 'field_missing', params: { field } }
    : { code: 'body_unreadable', params: {} };

/** A word from the call, shortened for a fault. */
export const quoted = (word: string): string => (word.length > 60 ? `${word.slice(0, 60)}…` : word);

/** Allows a byte order mark. */
const isJson = /^\ufeff?\s*[{[]/;

function formOf(body: string, type: string): Fields {
  if (body === '') return {};
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) return fieldsOf(body);
  const boundary = /^multipart\/form-data\b.*;\s*boundary="?([^";]+)/i.exec(type)?.[1];
  if (boundary !== undefined) return partsOf(body, boundary);
  return /^[\w.[\]%-]+=/.test(body) ? fieldsOf(body.trim()) : {};
}

/** RFC 7578: the fields, without files. */
function partsOf(body: string, boundary: string): Fields {
  const fields: Fields = {};
  for (const part of body.split(`--${boundary}`, maxFields)) {
    const [, head = '', value = ''] = /^\r?\n([\s\S]*?)\r?\n\r?\n([\s\S]*?)\r?\n$/.exec(part) ?? [];
    const name = /^content-disposition:.*;\s*name="([^"]*)"/im.exec(head)?.[1];
    if (name !== undefined && !/;\s*filename=/i.test(head)) addField(fields, name, value);
  }
  return fields;
}

/** Implemented by hand: takes a third of the time of `node:querystring` with our `decode`. */
function fieldsOf(encoded: string): Fields {
  const fields: Fields = {};
  for (const part of encoded.split('&', maxFields)) {
    if (part === '') continue;
    const equalsAt = part.indexOf('=');
    const name = decode(equalsAt === -1 ? part : part.slice(0, equalsAt));
    const value = equalsAt === -1 ? '' : decode(part.slice(equalsAt + 1));
    addField(fields, name, value);
  }
  return fields;
}

function addField(fields: Fields, name: string, value: string): void {
  if (name === '__proto__') return;
  const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (known === undefined) fields[name] = value;
  else if (typeof known === 'string') fields[name] = [known, value];
  else known.push(value);
}

/** UTF-8, the standard; invalid UTF-8 is decoded as Latin-1, which older gateways send. */
function decode(encoded: string): string {
  const text = encoded.includes('+') ? encoded.replaceAll('+', ' ') : encoded;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  }
}
