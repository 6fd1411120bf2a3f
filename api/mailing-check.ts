import type { SkipReason } from '../domain/message.ts';
import { choosePhone } from '../domain/phone.ts';
import type { MailingRecords } from '../mailing/record.ts';

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

const words = {
  phone_missing: 'The line has no phone.',
  phone_invalid: 'None of the phones can be read.',
  not_a_mobile: 'None of the phones is a mobile number.',
  duplicate_phone: 'An earlier line has the same phone.',
} as const;
const hints = {
  spreadsheet_number:
    ' The spreadsheet has cut off its digits: format the column as text, then enter it again.',
  ninth_digit_missing: ' Its 9 is missing.',
  area_code_missing: ' Its area code (DDD) is missing.',
} as const;

/** What a run will make of each line, as far as the line alone tells: counted, and the first ones in words. */
export async function checkLines(batches: MailingRecords): Promise<MailingCheck> {
  const check: MailingCheck = { lines: 0, sendable: 0, skipped: {}, problems: [] };
  // As numbers, like the import does: a million of them take a third of the memory of strings.
  const phones = new Set<number>();
  const leaveOut = (reason: SkipReason, problem: LeftOut): void => {
    check.skipped[reason] = (check.skipped[reason] ?? 0) + 1;
    if (check.problems.length < shown) check.problems.push(problem);
  };
  for await (const batch of batches) {
    for (const record of batch) {
      check.lines++;
      const { line } = record;
      if (!record.ok) {
        leaveOut('line_invalid', { line, ...record.problem });
        continue;
      }
      const phone = choosePhone(record.contact);
      if (!phone.ok) {
        const { reason, hint } = phone;
        const message = words[reason] + (hint === null ? '' : hints[hint]);
        leaveOut(reason, { line, code: reason, column: null, message });
        continue;
      }
      const key = Number(phone.e164);
      if (phones.has(key)) {
        const message = words.duplicate_phone;
        leaveOut('duplicate_phone', { line, code: 'duplicate_phone', column: null, message });
        continue;
      }
      phones.add(key);
      check.sendable++;
    }
  }
  return check;
}
