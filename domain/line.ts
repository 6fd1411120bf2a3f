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
import { compose, missingPlaceholder, parseTemplate, type Template } from './template.ts';

/**
 * One record of a mailing, whatever its source. `line` says where it is: the line of a CSV file where it begins, or the
 * place of an element in the answer of a web service, over all its pages; both counted from 1.
 */
export type MailingRecord =
  ({ line: number; ok: true } & ReadContact) | { line: number; ok: false; problem: LineFault };

/** Why a line is left out: its reason as a code of the catalog, or what is wrong with it more exactly. */
export type SkipFault = LineFault | Fault<SkipCode>;
type SkipCode = Exclude<SkipReason, 'line_invalid'> | 'placeholder_missing';

/** What becomes of a line, as far as the line alone tells. */
export interface ReadLine {
  line: number;
  /** Null where it can't be read. */
  contact: Contact | null;
  /** The mobile number that is written to (E.164). */
  phone: string | null;
  /** Null: it is sent. */
  reason: SkipReason | null;
  problem: SkipFault | null;
  /** Null when it is left out, or when the campaign has no template yet. */
  text: string | null;
  encoding: Segmentation['encoding'] | null;
  segments: number;
  warnings: readonly LineWarning[];
}

export interface LineRules {
  /** Null: the campaign has none yet; only the texts of contacts with their own message are judged. */
  template: Template | null;
  removeAccents: boolean;
  maxSegments: number;
  profile: SegmentProfile;
  extraFields: readonly ExtraField[];
}

/** How a campaign reads lines. Throws for a template that can't be parsed: it was saved without a check. */
export function lineRulesOf(
  { message, mailing: { extraFields } }: Pick<CampaignDraft, 'message' | 'mailing'>,
  profile: SegmentProfile,
): LineRules {
  const { template: written, removeAccents, maxSegments } = message;
  const names = extraFields.map(({ name }) => name);
  const parsed = written === null ? null : parseTemplate(written, names);
  if (parsed?.ok === false) throw new Error('The template of a campaign can not be parsed.');
  return { template: parsed?.template ?? null, removeAccents, maxSegments, profile, extraFields };
}

const phoneColumns = { mobile: 'celular', phone: 'telefone', phone2: 'telefone2' } as const;
const phoneOrder = ['mobile', 'phone', 'phone2'] as const satisfies readonly PhoneField[];

/**
 * Decides what becomes of each line: the upload's check, "Test URL", dry runs and runs all go by it. A line is left out
 * only when nobody can be written to from it: it has no usable phone, or no text. Consent and duplicates are judged
 * behind it (db/customers/lines.ts).
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
    const leaveOut = (reason: SkipReason, problem: SkipFault): ReadLine => {
      read.reason = reason;
      read.problem = problem;
      return read;
    };
    if (!record.ok) return leaveOut('line_invalid', record.problem);
    const { contact } = record;
    read.contact = contact;
    read.warnings = record.warnings;
    const phone = choosePhone(contact);
    if (!phone.ok) {
      const { reason, hint } = phone;
      return leaveOut(reason, reason === 'phone_invalid' ? fault(reason, { hint }) : fault(reason));
    }
    read.phone = phone.e164;
    const ofPhones = phoneWarnings(contact, phone);
    if (ofPhones.length > 0) read.warnings = [...read.warnings, ...ofPhones];
    for (const column of required) {
      if (contact.extra[column] === '') return leaveOut('value_missing', fault('value_missing', { column }));
    }
    if (template === null && contact.customMessage === '') return read;
    const missing = missingPlaceholder(template ?? empty, contact, options.extraFieldNames);
    if (missing !== null) return leaveOut('value_missing', fault('placeholder_missing', { column: missing }));
    const composed = compose(template ?? empty, contact, options);
    if ('skip' in composed) {
      const { skip } = composed;
      return leaveOut(skip, skip === 'placeholder_unknown' ? fault(skip, { known: [] }) : fault(skip));
    }
    read.text = composed.text;
    read.encoding = composed.encoding;
    read.segments = composed.segments;
    return read;
  };
}

/** How the number was read that is written to, and which of the other cells hold none that can be read. */
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
