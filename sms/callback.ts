import { parse as parseForm } from 'node:querystring';
import type { Callback, Fields } from './provider.ts';

/** The query field of a callback URL that holds a provider's secret, where it can't sign: never kept. */
export const secretField = 'key';

/** A provider's call as adapters read it. `url` is the public one, exactly as the provider called it. */
export function createCallback({
  method,
  url,
  headers,
  rawBody,
}: Pick<Callback, 'method' | 'url' | 'headers' | 'rawBody'>): Callback {
  const type = headers['content-type']?.toString().toLowerCase() ?? '';
  const queryAt = url.indexOf('?');
  return {
    method,
    url,
    headers,
    query: queryAt === -1 ? {} : fieldsOf(url.slice(queryAt + 1)),
    form: type.startsWith('application/x-www-form-urlencoded') ? fieldsOf(rawBody) : {},
    json: /^application\/(?:[\w.-]+\+)?json\b/.test(type) ? parseJson(rawBody) : null,
    rawBody,
  };
}

function fieldsOf(encoded: string): Fields {
  const fields: Fields = {};
  for (const [name, value] of Object.entries(parseForm(encoded, '&', '=', { decodeURIComponent: decode }))) {
    if (value !== undefined && name !== '__proto__') fields[name] = value;
  }
  return fields;
}

/** UTF-8, as everybody should write; what is none is taken for Latin-1, which older gateways write. */
function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    );
  }
}

/** Null for what is no JSON. */
export function parseJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
