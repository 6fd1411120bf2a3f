import { z } from 'zod';
import { inZone } from './calendar.ts';
import { coded, codedIssue, type Fault, fault } from './problems/coded.ts';

/**
 * The address of a web-service mailing: the base URL with its parameters, whose values may contain date placeholders.
 * In a value:
 *
 * | placeholder | becomes | written as |
 * | --- | --- | --- |
 * | `{today}` | the date on which the mailing is fetched | 2026-11-24 |
 * | `{yesterday}` | the date before | 2026-11-23 |
 * | `{lastRunAt}` | when the mailing of the last run that sent was fetched; before the first, 1 January 1970 UTC | 2026-11-23T09:00:02-03:00 |
 * | `{occurrence}` | when the run was due | 2026-11-24T09:00:00-03:00 |
 *
 * All in the local time of the schedule's zone. A format may follow a colon, from yyyy, MM, dd, HH, mm, ss, T and any
 * characters except other letters and braces: `{today:dd/MM/yyyy}`. A literal brace is doubled.
 */

export const datePlaceholders = ['today', 'yesterday', 'lastRunAt', 'occurrence'] as const;
export type DatePlaceholder = (typeof datePlaceholders)[number];

export interface AddressValues {
  /** The schedule's zone (IANA). */
  timezone: string;
  /** When the mailing is fetched. */
  now: Date;
  /** When the mailing of the last run that sent was fetched; null: never. */
  lastRunAt: Date | null;
  occurrence: Date;
}

type Part = string | { placeholder: DatePlaceholder; pattern: string | null };

/** A `{…}`, a doubled brace, or an invalid single brace. */
const brace = /\{\{|\}\}|\{(?<name>[^{}:]*)(?::(?<pattern>[^{}]*))?\}|[{}]/g;
const patternToken = /yyyy|MM|dd|HH|mm|ss/g;
const isPlaceholder = (name: string): name is DatePlaceholder =>
  datePlaceholders.some((known) => known === name);

/** The parts of a parameter's value, or its problem. */
export function parseParamValue(value: string): { ok: true; parts: Part[] } | { ok: false; fault: Fault } {
  const parts: Part[] = [];
  let from = 0;
  for (const match of value.matchAll(brace)) {
    const [written] = match;
    parts.push(value.slice(from, match.index));
    from = match.index + written.length;
    if (written === '{{' || written === '}}') {
      parts.push(written.charAt(0));
      continue;
    }
    const { name, pattern } = match.groups ?? {};
    if (name === undefined) return { ok: false, fault: fault('param_brace', { brace: written }) };
    if (!isPlaceholder(name)) {
      const params = { written: name, known: [...datePlaceholders] };
      return { ok: false, fault: fault('placeholder_unknown', params) };
    }
    if (
      pattern !== undefined &&
      (pattern === '' || /(?!T)\p{L}/u.test(pattern.replaceAll(patternToken, '')))
    ) {
      return { ok: false, fault: fault('date_form_unknown', { form: pattern }) };
    }
    parts.push({ placeholder: name, pattern: pattern ?? null });
  }
  parts.push(value.slice(from));
  return { ok: true, parts };
}

/** The value with its placeholders filled in; returns an invalid value unchanged (no saved value is invalid). */
export function fillParamValue(value: string, values: AddressValues): string {
  const parsed = parseParamValue(value);
  if (!parsed.ok) return value;
  return parsed.parts.map((part) => (typeof part === 'string' ? part : written(part, values))).join('');
}

function written(
  { placeholder, pattern }: Exclude<Part, string>,
  { timezone, now, lastRunAt, occurrence }: AddressValues,
): string {
  const at = { today: now, yesterday: now, lastRunAt: lastRunAt ?? new Date(0), occurrence }[placeholder];
  const zone = lastRunAt === null && placeholder === 'lastRunAt' ? 'UTC' : timezone;
  const here = inZone(at.getTime(), zone);
  const local = placeholder === 'yesterday' ? here.subtract({ days: 1 }) : here;
  const two = (value: number): string => String(value).padStart(2, '0');
  const tokens: Record<string, string> = {
    yyyy: String(local.year).padStart(4, '0'),
    MM: two(local.month),
    dd: two(local.day),
    HH: two(local.hour),
    mm: two(local.minute),
    ss: two(local.second),
  };
  const isDate = placeholder === 'today' || placeholder === 'yesterday';
  const form = pattern ?? (isDate ? 'yyyy-MM-dd' : 'yyyy-MM-ddTHH:mm:ss');
  const text = form.replaceAll(patternToken, (token) => tokens[token] ?? '');
  return pattern === null && !isDate ? text + local.offset : text;
}

/** The key and the value as entered; values may contain placeholders. */
export const addressParam = z
  .strictObject({ key: z.string().trim().min(1).max(100), value: z.string().max(1000) })
  .superRefine(({ value }, context) => {
    const parsed = parseParamValue(value);
    if (!parsed.ok) context.addIssue(codedIssue(parsed.fault, ['value']));
  });

/** http or https; without a user, whose password everyone who sees the campaign could read, and without a fragment. */
export const baseUrl = z
  .url({ protocol: /^https?$/, error: coded('url_expected') })
  .max(2000)
  .superRefine((text, context) => {
    if (!URL.canParse(text)) return;
    const { username, password } = new URL(text);
    if (username !== '' || password !== '') context.addIssue(codedIssue(fault('url_credentials')));
  });

/**
 * The base URL followed by its parameters, each separately and in order; the query of the base URL stays in front,
 * unchanged. Omits the fragment, which is never sent.
 */
export function buildAddress(
  { baseUrl, params }: { baseUrl: string; params: readonly { key: string; value: string }[] },
  values: AddressValues,
): URL {
  const url = new URL(baseUrl);
  url.hash = '';
  const added = params.map(({ key, value }) => `${encoded(key)}=${encoded(fillParamValue(value, values))}`);
  const query = [url.search.slice(1), ...added].filter((part) => part !== '').join('&');
  // With its question mark: otherwise a query that begins with another one would lose it.
  url.search = query === '' ? '' : `?${query}`;
  return url;
}

/** Percent-encoded; halves of surrogate pairs, which cannot be encoded, become U+FFFD. */
const encoded = (text: string): string => encodeURIComponent(text.replaceAll(/\p{Cs}/gu, '\ufffd'));
