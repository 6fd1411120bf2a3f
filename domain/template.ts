import { foldName, type Contact } from './contact.ts';
import { type Fault, fault } from './problems/coded.ts';
import { profiles, removeAccents, segmentsOf, type Segmentation, type SegmentProfile } from './segments.ts';
import type { SkipReason } from './message.ts';
import { cleanText } from './text.ts';

/**
 * A parsed message with placeholders: literals[0], value of placeholders[0], literals[1], … with always one more
 * literal than placeholders. Plain JSON.
 */
export interface Template {
  literals: readonly string[];
  /** 'code', 'name', 'first_name' or the name of an extra field. */
  placeholders: readonly string[];
}

type TemplateCode =
  'template_empty' | 'template_too_long' | 'character_forbidden' | 'placeholder_unknown' | 'brace_unbalanced';

/** `at`: the position in the text, in UTF-16 units from 0. */
export type TemplateProblem = Fault<TemplateCode> & { readonly at: number };

/** The name in the braces that may become an extra field; null for every other problem. */
export const undeclaredOf = ({ code, params }: TemplateProblem): string | null => {
  const written = code === 'placeholder_unknown' && 'written' in params ? (params.written ?? '').trim() : '';
  return written === '' ? null : written;
};

/** In UTF-16 units, like `maxlength` of an HTML field and `length` of a string. */
export const maxTemplateLength = 160;

const builtIn: ReadonlyMap<string, string> = new Map([
  ['codigo', 'code'],
  ['code', 'code'],
  ['nome', 'name'],
  ['name', 'name'],
]);

/** An extra field of the same name takes precedence over these. */
const derived: ReadonlyMap<string, string> = new Map([
  ['primeiro_nome', 'first_name'],
  ['first_name', 'first_name'],
]);

/**
 * Parses a template, or returns all its problems.
 *
 * Placeholders are `{codigo}` or `{code}`, `{nome}` or `{name}`, `{primeiro_nome}` or `{first_name}`, and `{…}` with the
 * name of an extra field, ignoring case, accents and spaces inside the braces. There is no way to write a literal brace: `{{nome}}` is usually a
 * mistake, and a brace costs two septets.
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

/** The literals and placeholders of a text, and the problems of its braces. */
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
    const placeholder =
      builtIn.get(name) ?? extraFieldNames.find((extra) => foldName(extra) === name) ?? derived.get(name);
    if (placeholder === undefined) {
      const known = [...new Set(['codigo', 'nome', 'primeiro_nome', ...extraFieldNames])];
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
 * Fills in the template with the contact's values. A missing value becomes an empty text: runs skip such a contact
 * (`missingPlaceholder`). Values are cleaned, because they come from outside.
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
  const extra = values.extra[placeholder];
  if (extra !== undefined) return extra;
  return placeholder === 'first_name' ? (values.name.trim().split(/\s+/)[0] ?? '') : '';
}

export interface ComposeOptions {
  removeAccents: boolean;
  profile: SegmentProfile;
  /** The maximum number of segments of one message. */
  maxSegments: number;
  /** The placeholders of a custom message besides those of every contact. */
  extraFieldNames: readonly string[];
}

/** Why an existing text is not sent. */
type TextFault = Extract<SkipReason, 'message_too_long' | 'word_exceeds_segment'>;

export type Composed =
  | { text: string; encoding: Segmentation['encoding']; segments: number }
  | { skip: TextFault; text: string }
  | { skip: Extract<SkipReason, 'message_empty' | 'placeholder_unknown'>; text: null };

/**
 * The text for one contact, or why there is none. A contact's custom message replaces the template and may contain the
 * same placeholders; one with an unknown placeholder or a single brace skips the contact, so that no braces are sent.
 * Nothing is ever cut off.
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
  if (filled === undefined) return { skip: 'placeholder_unknown', text: null };
  let text = tidy(options.removeAccents ? removeAccents(filled, profile) : filled);
  if (text === '') return { skip: 'message_empty', text: null };
  let cost = costOf(text, { profile, maxSegments });
  if (options.removeAccents && cost.encoding === 'UCS-2') {
    const cheap = tidy(withoutDearCharacters(template, contact, options));
    const cheapCost = costOf(cheap, { profile, maxSegments });
    if (cheap !== '' && cheapCost.encoding === 'GSM-7') [text, cost] = [cheap, cheapCost];
  }
  // With a language table a segment holds less than without the accents.
  if (options.removeAccents && cost.shift !== null && cost.segments > 1) {
    const bare = tidy(removeAccents(text, profiles.gsm));
    const bareCost = costOf(bare, { profile, maxSegments });
    if (bareCost.segments < cost.segments) [text, cost] = [bare, bareCost];
  }
  const { encoding, segments, skip } = cost;
  return skip === null ? { text, encoding, segments } : { skip, text };
}

/**
 * The same text without the characters of its values that have no equivalent in the alphabet and are not letters: an
 * emoji or a stray mark in a name would reduce the segment size of the whole text to less than half. Characters of the
 * template itself stay.
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
    // A value that contains nothing else stays.
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

/** The first placeholder in a contact's text without a value, by its column; null when there is none. */
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

/** The segments of a text, and why it is not sent: the provider or the campaign does not allow its length. */
export function costOf(
  text: string,
  { profile, maxSegments }: Pick<ComposeOptions, 'profile' | 'maxSegments'>,
): Pick<Segmentation, 'encoding' | 'shift' | 'segments'> & { skip: TextFault | null } {
  const { encoding, shift, segments, cutsWord } = segmentsOf(text, profile);
  const tooLong = segments > maxSegments || text.length > (profile.maxCharacters ?? Infinity);
  return {
    encoding,
    shift,
    segments,
    skip: tooLong ? 'message_too_long' : cutsWord ? 'word_exceeds_segment' : null,
  };
}

/** Undefined if its braces are not known placeholders. Most custom messages contain none. */
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
 * Collapses white space into one space and removes it around line breaks and at the ends. Line breaks stay, as \n. A
 * lone no-break space becomes a plain one, because it would make the message UCS-2.
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
