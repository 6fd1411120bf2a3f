import type { Campaign } from '../../domain/campaign.ts';
import { type Contact, warningOf } from '../../domain/contact.ts';
import { consentSuffices } from '../../domain/customer.ts';
import type { ReadLine } from '../../domain/line.ts';
import { normalizePhone } from '../../domain/phone.ts';
import { fault } from '../../domain/problems/coded.ts';
import type { Database } from '../core/client.ts';
import {
  type ArrivedCustomer,
  findCustomers,
  hasCustomers,
  type MatchedCustomer,
  registerCustomers,
  sameButZeros,
} from './matching.ts';
import { getPrivacySettings } from './privacy.ts';

/** The minimum number of lines in a group, except for the last. */
const matchedAtOnce = 1_000;

/** A line of a mailing with the decision whether it is sent. */
export interface JudgedLine extends ReadLine {
  customerId: number | null;
}

/** Phones (E.164) that already have a message; mailing/phones-seen.ts. */
interface PhonesSeen {
  /** False when it was already there. */
  add(e164: string): boolean;
}

interface Judging {
  /** The campaign's setting: do not check consent. */
  ignoreConsent: boolean;
  /** Contacts become customers; null: they do not. */
  register: Pick<Campaign['mailing'], 'regionId' | 'customerTypeId'> | null;
  phones: PhonesSeen;
}

/**
 * Finds the customer of each line, skips lines whose consent does not suffice (domain/customer.ts), then lines with the
 * phone of an earlier line: of several customers with one phone, the first whose consent suffices gets the message. If the
 * mailing registers customers, it first turns its contacts into customers, batch by batch. These stay even if a later
 * batch is refused, because each is valid by itself.
 *
 * Looks up the customers of a batch while the previous one is being written.
 */
export async function* judgeLines<Line extends ReadLine>(
  sql: Database,
  batches: AsyncIterable<Line[]>,
  { ignoreConsent, register, phones }: Judging,
): AsyncGenerator<(Line & JudgedLine)[]> {
  const { consentRequired } = await getPrivacySettings(sql);
  const any = register !== null || (await hasCustomers(sql));

  const customersOf = async (lines: ReadLine[]): Promise<(MatchedCustomer | null)[]> => {
    if (register !== null)
      return sql.begin((tx) =>
        registerCustomers(
          tx,
          lines.map(({ contact }) => arrivedOf(contact, register)),
        ),
      );
    if (!any) return [];
    return findCustomers(
      sql,
      lines.map(({ contact, phone }) => ({ code: contact?.code || null, phone })),
    );
  };
  const judge = (line: Line, customer: MatchedCustomer | null): Line & JudgedLine => {
    const judged: Line & JudgedLine = Object.assign(line, { customerId: customer?.id ?? null });
    const code = line.contact?.code ?? '';
    if (code !== '' && customer !== null && sameButZeros(code, customer.code))
      judged.warnings = [...line.warnings, warningOf(fault('code_zeros', { column: 'codigo' }), code)];
    if (line.reason !== null || line.phone === null) return judged;
    if (!ignoreConsent && !consentSuffices(customer?.consent ?? null, consentRequired)) {
      judged.reason = 'no_consent';
      judged.problem = fault('no_consent');
    } else if (!phones.add(line.phone)) {
      judged.reason = 'duplicate_phone';
      judged.problem = fault('duplicate_phone');
    }
    return judged;
  };
  const matched = async (lines: Line[]): Promise<(Line & JudgedLine)[]> => {
    const customers = await customersOf(lines);
    return lines.map((line, index) => judge(line, customers[index] ?? null));
  };

  let before: Promise<(Line & JudgedLine)[]> | null = null;
  for await (const lines of inGroups(batches)) {
    const ready = await before;
    before = matched(lines);
    // It is awaited later, or never if the caller stops reading.
    before.catch(() => undefined);
    if (ready !== null) yield ready;
  }
  if (before !== null) yield await before;
}

/** Combines batches, because each look-up needs four round trips. */
async function* inGroups<Line>(batches: AsyncIterable<Line[]>): AsyncGenerator<Line[]> {
  let group: Line[] = [];
  for await (const batch of batches) {
    group = group.length === 0 ? batch : group.concat(batch);
    if (group.length < matchedAtOnce) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** A contact as data for its customer's record; omits values that are empty or unreadable. */
function arrivedOf(
  contact: Contact | null,
  { regionId, customerTypeId }: { regionId: number | null; customerTypeId: number | null },
): ArrivedCustomer {
  const emptyToNull = (value: string | undefined): string | null => value || null;
  const phone = (value: string | undefined): string | null => (value ? normalizePhone(value) : null);
  return {
    code: emptyToNull(contact?.code),
    name: emptyToNull(contact?.name),
    mobile: phone(contact?.mobile),
    phone: phone(contact?.phone),
    phone2: phone(contact?.phone2),
    birthDate: emptyToNull(contact?.birthDate),
    regionId,
    customerTypeId,
  };
}
