import { foldName, type Contact } from './contact.ts';
import { type Fault, fault } from './problems/coded.ts';
import { removeAccents, segmentsOf, type Segmentation, type SegmentProfile } from './segments.ts';
import type { SkipReason } from './message.ts';
import { cleanText } from './text.ts';

/**
 * A message with placeholders, taken apart: literals[0], value of placeholders[0], literals[1], … and always one literal
 * more than placeholders. Plain JSON.
 */
export interface Template {
  literals: readonly string[];
  /** 'code', 'name' or the name of an extra field. */
  placeholders: readonly string[];
}

type TemplateCode =
  'template_empty' | 'template_too_long' | 'character_forbidden' | 'placeholder_unknown' | 'brace_unbalanced';

/** `at`: where in the text, counted in UTF-16 units from 0. */
export type TemplateProblem = Fault<TemplateCode> & { readonly at: number };

/** In UTF-16 units, as `maxlength` of an HTML field and `length` of a string count them. */
export const maxTemplateLength = 160;

const builtIn: ReadonlyMap<string, string> = new Map([
  ['codigo', 'code'],
  ['code', 'code'],
  ['nome', 'name'],
  ['name', 'name'],
]);

/**
 * Takes a template apart, or names everything that is wrong with it.
 *
 * Placeholders are `{codigo}` or `{code}`, `{nome}` or `{name}` and `{…}` with the name of an extra field, without
 * regard to case, accents and spaces inside the braces. There is no way to write a literal brace: `{{nome}}` is far
 * more often a slip than a wish, and a brace costs two septets.
 */
export function parseTemplate(
  text: string,
  extraFieldNames: readonly string[],
): { ok: true; template: Template } | { ok: false; problems: TemplateProblem[] } {
  const problems: TemplateProblem[] = [];
  if (text.trim() === '') problems.push({ ...fault('template_empty'), at: 0 });
  if (text.length > maxTemplateLength) {
    const params = { length: text.length, maximum: maxTemplateLength };
    problems.push({ ...fault('template_too_long', params), at: maxTemplateLength });
  }

  const forbidden = text.search(/(?![\t\n\r])\p{Cc}|\p{Cs}/u);
  if (forbidden !== -1) problems.push({ ...fault('character_forbidden'), at: forbidden });

  const { template, problems: inBraces } = takeApart(text, extraFieldNames);
  problems.push(...inBraces);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, template };
}

/** Literals and placeholders of a text, and what is wrong with its braces. */
function takeApart(
  text: string,
  extraFieldNames: readonly string[],
): { template: Template; problems: TemplateProblem[] } {
  const literals: string[] = [];
  const placeholders: string[] = [];
  const problems: TemplateProblem[] = [];
  let literalStart = 0;
  for (let at = nextBrace(text, 0); at !== -1; at = nextBrace(text, at + 1)) {
    const brace = text[at] === '{' ? '{' : '}';
    const end = brace === '{' ? nextBrace(text, at + 1) : -1;
    if (end === -1 || text[end] !== '}') {
      problems.push({ ...fault('brace_unbalanced', { brace }), at });
      continue;
    }
    const written = text.slice(at + 1, end);
    const name = foldName(written);
    const placeholder = builtIn.get(name) ?? extraFieldNames.find((extra) => foldName(extra) === name);
    if (placeholder === undefined) {
      const known = ['codigo', 'nome', ...extraFieldNames];
      problems.push({ ...fault('placeholder_unknown', { written, known }), at });
    } else {
      literals.push(text.slice(literalStart, at));
      placeholders.push(placeholder);
    }
    at = end;
    literalStart = end + 1;
  }
  literals.push(text.slice(literalStart));
  return { template: { literals, placeholders }, problems };
}

function nextBrace(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x7b || code === 0x7d) return i;
  }
  return -1;
}

export type TemplateValues = Pick<Contact, 'code' | 'name' | 'extra'>;

/**
 * The template with the contact's values in it. A value that is missing leaves nothing in its place: runs leave such a
 * contact out (`missingPlaceholder`). Values are cleaned, for they come from outside.
 */
export function render(template: Template, values: TemplateValues): string {
  let text = template.literals[0] ?? '';
  for (let i = 0; i < template.placeholders.length; i++) {
    text += cleanText(valueOf(values, template.placeholders[i] ?? '')) + (template.literals[i + 1] ?? '');
  }
  return text;
}

function valueOf(values: TemplateValues, placeholder: string): string {
  if (placeholder === 'code') return values.code;
  if (placeholder === 'name') return values.name;
  return values.extra[placeholder] ?? '';
}

export interface ComposeOptions {
  removeAccents: boolean;
  profile: SegmentProfile;
  /** The most segments one message may cost. */
  maxSegments: number;
  /** The placeholders of a custom message besides those that every contact has. */
  extraFieldNames: readonly string[];
}

export type Composed =
  | { text: string; encoding: Segmentation['encoding']; segments: number }
  | { skip: Extract<SkipReason, 'message_too_long' | 'message_empty' | 'placeholder_unknown'> };

/**
 * The text one contact gets, or why they get none. The contact's custom message, where there is one, replaces the
 * template and may hold the same placeholders; one that is unknown, or a single brace, leaves the contact out rather
 * than sending braces. Nothing is ever cut off.
 */
export function compose(
  template: Template,
  contact: TemplateValues & Pick<Contact, 'customMessage'>,
  options: ComposeOptions,
): Composed {
  const { profile, maxSegments } = options;
  const filled =
    contact.customMessage === ''
      ? render(template, contact)
      : fillCustomMessage(contact, options.extraFieldNames);
  if (filled === undefined) return { skip: 'placeholder_unknown' };
  let text = tidy(options.removeAccents ? removeAccents(filled, profile) : filled);
  if (text === '') return { skip: 'message_empty' };
  let cost = costOf(text, { profile, maxSegments });
  if (options.removeAccents && cost.encoding === 'UCS-2') {
    const cheap = tidy(withoutDearCharacters(template, contact, options));
    const cheapCost = costOf(cheap, { profile, maxSegments });
    if (cheap !== '' && cheapCost.encoding === 'GSM-7') [text, cost] = [cheap, cheapCost];
  }
  const { encoding, segments, tooLong } = cost;
  return tooLong ? { skip: 'message_too_long' } : { text, encoding, segments };
}

/**
 * The same text without the characters of its values that have no equivalent in the alphabet and are no letters: an emoji
 * or a stray mark in a name would cut the segments of the whole text to less than half. What a template says is meant.
 */
function withoutDearCharacters(
  template: Template,
  contact: TemplateValues & Pick<Contact, 'customMessage'>,
  { profile, extraFieldNames }: ComposeOptions,
): string {
  const cheap = (value: string): string => {
    const plain = removeAccents(value, profile);
    const kept = Array.from(plain)
      .filter(
        (char) =>
          /[\p{L}\p{N}\s]/u.test(char) || (char.length === 1 && profile.septets[char.charCodeAt(0)] !== 0),
      )
      .join('');
    // A value that is nothing else stays: it is all there is.
    return kept.trim() === '' ? plain : kept;
  };
  const values = {
    code: cheap(contact.code),
    name: cheap(contact.name),
    extra: Object.fromEntries(Object.entries(contact.extra).map(([name, value]) => [name, cheap(value)])),
    customMessage: cheap(contact.customMessage),
  };
  const filled =
    contact.customMessage === '' ? render(template, values) : fillCustomMessage(values, extraFieldNames);
  return removeAccents(filled ?? '', profile);
}

/** The first placeholder of a contact's text that has no value, by its column; null when there is none. */
export function missingPlaceholder(
  template: Template,
  contact: TemplateValues & Pick<Contact, 'customMessage'>,
  extraFieldNames: readonly string[],
): string | null {
  const { customMessage } = contact;
  const used =
    customMessage === ''
      ? template
      : nextBrace(customMessage, 0) === -1
        ? null
        : takeApart(customMessage, extraFieldNames).template;
  const missing = used?.placeholders.find((placeholder) => valueOf(contact, placeholder) === '');
  if (missing === undefined) return null;
  return missing === 'code' ? 'codigo' : missing === 'name' ? 'nome' : missing;
}

/** What a text costs with a provider, and whether that is more than it takes or than is allowed. */
export function costOf(
  text: string,
  { profile, maxSegments }: Pick<ComposeOptions, 'profile' | 'maxSegments'>,
): Pick<Segmentation, 'encoding' | 'segments'> & { tooLong: boolean } {
  const { encoding, segments } = segmentsOf(text, profile);
  const tooLong = segments > maxSegments || text.length > (profile.maxCharacters ?? Infinity);
  return { encoding, segments, tooLong };
}

/** Undefined when its braces are not those of known placeholders. Most custom messages have none. */
function fillCustomMessage(
  contact: TemplateValues & Pick<Contact, 'customMessage'>,
  extraFieldNames: readonly string[],
): string | undefined {
  const { customMessage } = contact;
  if (nextBrace(customMessage, 0) === -1) return customMessage;
  const { template, problems } = takeApart(customMessage, extraFieldNames);
  return problems.length > 0 ? undefined : render(template, contact);
}

/**
 * Runs of white space become one space, those around a line break go, and so do those at the ends. Line breaks stay as
 * they were written, as \n. A lone no-break space becomes a plain one: it would make the message UCS-2.
 */
function tidy(text: string): string {
  let before = 0x0a;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isPlainSpace = code === 0x20 && before !== 0x20 && before !== 0x0a;
    if ((code <= 0x20 && !isPlainSpace) || code === 0xa0 || (code >= 0x1680 && /\s/.test(text.charAt(i)))) {
      return rewriteSpaces(text);
    }
    before = code;
  }
  return before === 0x20 ? text.slice(0, -1) : text;
}

function rewriteSpaces(text: string): string {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/ ?\n ?/g, '\n')
    .trim();
}
