import { foldName, type Contact, type LineProblem, readDate } from './contact.ts';
import { type Consent, phoneFields, readConsent } from './customer.ts';
import { normalizePhone } from './phone.ts';

/** What a line of a file of customers tells; null for what it does not tell. Phones in E.164, dates ISO. */
export interface CustomerLine {
  code: string | null;
  name: string | null;
  mobile: string | null;
  phone: string | null;
  phone2: string | null;
  birthDate: string | null;
  regionId: number | null;
  customerTypeId: number | null;
  consent: Consent | null;
  consentDate: string | null;
}

/** Ids of settings by their names, folded (`foldName`). */
export interface CustomerSettings {
  regions: ReadonlyMap<string, number>;
  customerTypes: ReadonlyMap<string, number>;
}

export type CustomerLineResult = { ok: true; customer: CustomerLine } | { ok: false; problem: LineProblem };

const columns = { mobile: 'celular', phone: 'telefone', phone2: 'telefone2' } as const;

/**
 * A customer from a record of the layout in mailing/customer-layout.ts. The first value that is wrong makes the whole
 * line a bad one.
 *
 * @param today ISO date: nobody has stated anything later
 */
export function readCustomerLine(
  contact: Contact,
  { regions, customerTypes }: CustomerSettings,
  today: string,
): CustomerLineResult {
  const { regiao = '', tipo_cliente = '', consentimento = '', data_consentimento = '' } = contact.extra;
  const phones = { mobile: null, phone: null, phone2: null } as Record<keyof typeof columns, string | null>;
  for (const field of phoneFields) {
    if (contact[field] === '') continue;
    phones[field] = normalizePhone(contact[field]);
    if (phones[field] === null) return bad('value_invalid', columns[field], 'is no phone number');
  }
  if (contact.code === '' && phoneFields.every((field) => phones[field] === null)) {
    return bad('value_missing', 'codigo', 'has no value, and neither has a phone: nothing tells who it is');
  }
  const regionId = regiao === '' ? null : regions.get(foldName(regiao));
  if (regionId === undefined) return bad('value_invalid', 'regiao', 'is none of the regions in the settings');
  const customerTypeId = tipo_cliente === '' ? null : customerTypes.get(foldName(tipo_cliente));
  if (customerTypeId === undefined)
    return bad('value_invalid', 'tipo_cliente', 'is none of the customer types in the settings');
  const consent = consentimento === '' ? null : readConsent(consentimento);
  if (consent === undefined)
    return bad('value_invalid', 'consentimento', 'is none of sim, não, não informado');
  const consentDate = data_consentimento === '' ? null : (readDate(data_consentimento) ?? null);
  if (consentDate !== null && consentDate > today)
    return bad('value_invalid', 'data_consentimento', 'is in the future');
  return {
    ok: true,
    customer: {
      code: contact.code || null,
      name: contact.name || null,
      ...phones,
      birthDate: contact.birthDate || null,
      regionId,
      customerTypeId,
      consent,
      consentDate,
    },
  };
}

const bad = (code: LineProblem['code'], column: string, predicate: string): CustomerLineResult => ({
  ok: false,
  problem: { code, column, message: `"${column}" ${predicate}.` },
});
