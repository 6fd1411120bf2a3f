import type { Database } from '../db/core/client.ts';
import {
  type ArrivedCustomer,
  findCustomers,
  hasCustomers,
  type MatchedCustomer,
  registerCustomers,
} from '../db/customers/matching.ts';
import type { ImportedLine } from '../db/messages/messages.ts';
import { getPrivacySettings } from '../db/customers/privacy.ts';
import type { RunRow } from '../db/runs/runs.ts';
import type { Contact } from '../domain/contact.ts';
import { consentSuffices } from '../domain/customer.ts';
import { normalizePhone } from '../domain/phone.ts';

/** So many lines at least, but at the end. */
const matchedAtOnce = 1_000;

/** A line of a mailing, and the contact it was made of; null where it could not be read. */
export interface ContactLine extends ImportedLine {
  contact: Contact | null;
}

/**
 * Finds the customer of each line, and skips the lines of those who have not consented (domain/customer.ts), unless the
 * campaign ignores consent. Where the mailing registers customers, its contacts become some first: batch by batch and
 * for good, also when a later batch is refused, because each of them is right by itself.
 *
 * The customers of a batch are looked up while the one before is being written.
 */
export async function* matchCustomers(
  sql: Database,
  batches: AsyncIterable<ContactLine[]>,
  { trigger, settings }: Pick<RunRow, 'trigger' | 'settings'>,
): AsyncGenerator<ImportedLine[]> {
  const { ignoreConsent, mailing } = settings.campaign;
  const { consentRequired } = await getPrivacySettings(sql);
  // A dry run leaves nothing behind.
  const registers =
    trigger !== 'dry_run' && mailing.source === 'webservice' && mailing.webservice.registerCustomers;
  const any = registers || (await hasCustomers(sql));

  const match = async (lines: ContactLine[]): Promise<ImportedLine[]> => {
    const customers: (MatchedCustomer | null)[] = registers
      ? await register(lines)
      : any
        ? await findCustomers(sql, lines)
        : [];
    lines.forEach((line, index) => {
      const customer = customers[index];
      line.customerId = customer?.id ?? null;
      if (line.status !== 'queued' || ignoreConsent) return;
      if (consentSuffices(customer?.consent ?? null, consentRequired)) return;
      line.status = 'skipped';
      line.reason = 'no_consent';
    });
    return lines;
  };
  const register = (lines: ContactLine[]) =>
    sql.begin((tx) =>
      registerCustomers(
        tx,
        lines.map(({ contact }) => arrivedOf(contact, mailing)),
      ),
    );

  let before: Promise<ImportedLine[]> | null = null;
  for await (const lines of inGroups(batches)) {
    const ready = await before;
    before = match(lines);
    // It is awaited later, or never when whoever reads breaks off.
    before.catch(() => undefined);
    if (ready !== null) yield ready;
  }
  if (before !== null) yield await before;
}

/** Batches together, for each look-up goes back and forth four times. */
async function* inGroups(batches: AsyncIterable<ContactLine[]>): AsyncGenerator<ContactLine[]> {
  let group: ContactLine[] = [];
  for await (const batch of batches) {
    group = group.length === 0 ? batch : group.concat(batch);
    if (group.length < matchedAtOnce) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** A contact as its customer's record takes it; what is empty or can't be read tells nothing. */
export function arrivedOf(
  contact: Contact | null,
  { regionId, customerTypeId }: { regionId: number | null; customerTypeId: number | null },
): ArrivedCustomer {
  const told = (value: string | undefined): string | null => value || null;
  const phone = (value: string | undefined): string | null => (value ? normalizePhone(value) : null);
  return {
    code: told(contact?.code),
    name: told(contact?.name),
    mobile: phone(contact?.mobile),
    phone: phone(contact?.phone),
    phone2: phone(contact?.phone2),
    birthDate: told(contact?.birthDate),
    regionId,
    customerTypeId,
  };
}
