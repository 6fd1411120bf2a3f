import {
  type GatewayPart,
  type GatewayPlaceholder,
  type HttpGatewayConfig,
  parseGatewayTemplate,
} from '../../domain/http-gateway.ts';
import { MissingSecret } from './authentication.ts';

/** The values of the placeholders for one message. */
export type Values = Readonly<Record<GatewayPlaceholder, string>>;
export type Fill = (values: Values, escape: (value: string) => string) => string;

export const plain = (value: string): string => value;

export function compileTemplate(template: string, secrets: Readonly<Record<string, string>>): Fill {
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

/** `fill` returns null if there is no body. */
export function compileBody(
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

/** Fills in the texts before the JSON is written, which escapes them. */
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

/** A number, true or false if it represents the text exactly; otherwise the text. */
function scalarOf(text: string): number | boolean | string {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return String(number) === text && Number.isFinite(number) ? number : text;
}
