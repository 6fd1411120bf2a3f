import type { CampaignDraft } from './campaign.ts';
import {
  type Contact,
  type ExtraField,
  type LineFault,
  type LineWarning,
  type ReadContact,
  warningOf,
} from './contact.ts';
import type { SkipReason } from './message.ts';
import { choosePhone, normalizePhone, type PhoneField, readPhoneCell } from './phone.ts';
import { type Fault, fault } from './problems/coded.ts';
import { type Segmentation, type SegmentProfile } from './segments.ts';
import { compose, missingPlaceholder, parseTemplate, type Template, undeclaredOf } from './template.ts';

/**
 * One record of a mailing, from any source. `line` is its position: the line of a CSV file where it begins, or the
 * number of the element in a web service's answer, over all its pages; both from 1.
 */
export type MailingRecord =
  ({ line: number; ok: true } & ReadContact) | { line: number; ok: false; problem: LineFault };

/** Why a line is skipped: a reason code of the catalog, or a more exact problem. */
export type SkipFault = LineFault | Fault<SkipCode>;
type SkipCode = Exclude<SkipReason, 'line_invalid'> | 'placeholder_missing';

/** The decision about a line, based on the line alone. */
export interface ReadLine {
  line: number;
  /** Null if it cannot be read. */
  contact: Contact | null;
  /** The mobile number to send to (E.164). */
  phone: string | null;
  /** Null: the line is sent. */
  reason: SkipReason | null;
  problem: SkipFault | null;
  /** Null when it is skipped, or when the campaign has no template yet. */
  text: string | null;
  encoding: Segmentation['encoding'] | null;
  segments: number;
  warnings: readonly LineWarning[];
}

export interface LineRules {
  /** Null: the campaign has none yet; only the texts of contacts with their own message are checked. */
  template: Template | null;
  removeAccents: boolean;
  maxSegments: number;
  profile: SegmentProfile;
  extraFields: readonly ExtraField[];
}

/**
 * How a campaign reads lines. Throws for an invalid template, which was saved without a check. While a tag of the
 * message is not declared, lines are read without their texts.
 */
export function lineRulesOf(
  { message, mailing: { extraFields } }: Pick<CampaignDraft, 'message' | 'mailing'>,
  profile: SegmentProfile,
): LineRules {
  const { template: written, removeAccents, maxSegments } = message;
  const names = extraFields.map(({ name }) => name);
  const parsed = written === null ? null : parseTemplate(written, names);
  const isUndeclared = parsed?.ok === false && parsed.problems.every((found) => undeclaredOf(found) !== null);
  if (parsed?.ok === false && !isUndeclared) throw new Error('The template of a campaign cannot be parsed.');
  const template = parsed?.ok === true ? parsed.template : null;
  return { template, removeAccents, maxSegments, profile, extraFields };
}

const phoneColumns = { mobile: 'celular', phone: 'telefone', phone2: 'telefone2' } as const;
const phoneOrder = ['mobile', 'phone', 'phone2'] as const satisfies readonly PhoneField[];

/**
 * Decides about each line; used by the upload's check, "Test URL", dry runs and runs. Skips a line only if it cannot be
 * sent: it has no usable phone, or no text. Consent and duplicates are checked later (db/customers/lines.ts).
 */
export function createLineReader(rules: LineRules): (record: MailingRecord) => ReadLine {
  const { template, extraFields, ...composing } = rules;
  const options = { ...composing, extraFieldNames: extraFields.map(({ name }) => name) };
  const required = extraFields.filter((field) => field.required).map(({ name }) => name);
  const empty: Template = { literals: [''], placeholders: [] };

  return (record) => {
    const read: ReadLine = {
      line: record.line,
      contact: null,
      phone: null,
      reason: null,
      problem: null,
      text: null,
      encoding: null,
      segments: 0,
      warnings: [],
    };
    if (!record.ok) return leaveOut(read, 'line_invalid', record.problem);
    const { contact } = record;
    read.contact = contact;
    read.warnings = record.warnings;
    const phone = choosePhone(contact);
    if (!phone.ok) {
      const { reason, hint } = phone;
      return leaveOut(read, reason, reason === 'phone_invalid' ? fault(reason, { hint }) : fault(reason));
    }
    read.phone = phone.e164;
    const ofPhones = phoneWarnings(contact, phone);
    if (ofPhones.length > 0) read.warnings = [...read.warnings, ...ofPhones];
    for (const column of required) {
      if (contact.extra[column] === '')
        return leaveOut(read, 'value_missing', fault('value_missing', { column }));
    }
    if (template === null && contact.customMessage === '') return read;
    const missing = missingPlaceholder(template ?? empty, contact, options.extraFieldNames);
    if (missing !== null)
      return leaveOut(read, 'value_missing', fault('placeholder_missing', { column: missing }));
    const composed = compose(template ?? empty, contact, options);
    if ('skip' in composed) {
      const { skip } = composed;
      return leaveOut(read, skip, skip === 'placeholder_unknown' ? fault(skip, { known: [] }) : fault(skip));
    }
    read.text = composed.text;
    read.encoding = composed.encoding;
    read.segments = composed.segments;
    return read;
  };
}

function leaveOut(read: ReadLine, reason: SkipReason, problem: SkipFault): ReadLine {
  read.reason = reason;
  read.problem = problem;
  return read;
}

/** How the phone was read, and which other cells contain no readable one. */
function phoneWarnings(
  contact: Contact,
  chosen: ReturnType<typeof choosePhone> & { ok: true },
): LineWarning[] {
  const warnings: LineWarning[] = [];
  for (const field of phoneOrder) {
    const written = contact[field];
    if (written === '') continue;
    const column = phoneColumns[field];
    if (field === chosen.field) {
      if (chosen.note !== null) {
        const code = chosen.note === 'one_of_several' ? 'phone_chosen' : 'ninth_digit_added';
        warnings.push(warningOf(fault(code, { column }), written));
      }
      continue;
    }
    const other = readPhoneCell(written);
    if (other.ok || other.reason === 'not_a_mobile' || normalizePhone(written) !== null) continue;
    warnings.push(warningOf(fault('value_invalid', { column, expected: 'phone' }), written));
  }
  return warnings;
}
