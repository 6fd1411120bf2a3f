import type { SkipReason } from '../../domain/message.ts';
import { choosePhone } from '../../domain/phone.ts';
import type { MailingRecord, MailingRecords } from '../../mailing/record.ts';

/** One line that a run will leave out. */
export interface LeftOut {
  line: number;
  code: string;
  column: string | null;
  message: string;
}

export interface MailingCheck {
  lines: number;
  sendable: number;
  skipped: Partial<Record<SkipReason, number>>;
  /** The first `shown` of those left out. */
  problems: LeftOut[];
}

const shown = 20;

/** Why a line is left out, in plain words. */
export const skipWords = {
  phone_missing: 'The line has no phone.',
  phone_invalid: 'None of the phones can be read.',
  not_a_mobile: 'None of the phones is a mobile number.',
  duplicate_phone: 'An earlier line has the same phone.',
  no_consent: 'The customer has not consented.',
  opted_out: 'The phone has asked to be left alone.',
  message_too_long: 'The text needs more segments than the campaign allows.',
  message_empty: 'The text would be empty.',
  placeholder_unknown: 'Its own message has a placeholder that is not known, or a single brace.',
  line_invalid: 'The line can not be read.',
} as const satisfies Record<SkipReason, string>;
const hints = {
  spreadsheet_number:
    ' The spreadsheet has cut off its digits: format the column as text, then enter it again.',
  ninth_digit_missing: ' Its 9 is missing.',
  area_code_missing: ' Its area code (DDD) is missing.',
} as const;

/**
 * Says of each record, in order, why a run will leave it out, as far as the line alone tells; null: it will not.
 */
export function createLineCheck(): (record: MailingRecord) => (LeftOut & { reason: SkipReason }) | null {
  // As numbers, like the import does: a million of them take a third of the memory of strings.
  const phones = new Set<number>();
  return (record) => {
    const { line } = record;
    if (!record.ok) return { reason: 'line_invalid', line, ...record.problem };
    const phone = choosePhone(record.contact);
    if (!phone.ok) {
      const { reason, hint } = phone;
      const message = skipWords[reason] + (hint === null ? '' : hints[hint]);
      return { reason, line, code: reason, column: null, message };
    }
    const key = Number(phone.e164);
    if (phones.has(key)) {
      const reason = 'duplicate_phone';
      return { reason, line, code: reason, column: null, message: skipWords[reason] };
    }
    phones.add(key);
    return null;
  };
}

/** What a run will make of each line, as far as the line alone tells: counted, and the first ones in words. */
export async function checkLines(batches: MailingRecords): Promise<MailingCheck> {
  const check: MailingCheck = { lines: 0, sendable: 0, skipped: {}, problems: [] };
  const lineCheck = createLineCheck();
  for await (const batch of batches) {
    for (const record of batch) {
      check.lines++;
      const leftOut = lineCheck(record);
      if (leftOut === null) {
        check.sendable++;
        continue;
      }
      const { reason, ...problem } = leftOut;
      check.skipped[reason] = (check.skipped[reason] ?? 0) + 1;
      if (check.problems.length < shown) check.problems.push(problem);
    }
  }
  return check;
}
