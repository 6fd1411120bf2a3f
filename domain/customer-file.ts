import { foldName, type LineWarning, type ReadContact, warningOf } from './contact.ts';
import { type Consent, phoneFields, readConsent } from './customer.ts';
import { normalizePhone } from './phone.ts';
import { type Fault, fault } from './problems/coded.ts';
import type { Expectation } from './problems/mailings.ts';

/** The data in a line of a customer file; null for missing values. Phones in E.164, dates ISO. */
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

/** Ids of settings by name, folded (`foldName`). */
export interface CustomerSettings {
  regions: ReadonlyMap<string, number>;
  customerTypes: ReadonlyMap<string, number>;
}

export type CustomerLineResult =
  | { ok: true; customer: CustomerLine; warnings: readonly LineWarning[] }
  | { ok: false; problem: Fault<'nobody_named'>; warnings: readonly LineWarning[] };

const phoneColumns = { mobile: 'celular', phone: 'telefone', phone2: 'telefone2' } as const;

/**
 * Creates a customer from a record of the layout in mailing/customer-layout.ts. Ignores an unreadable value, with a
 * warning; skips a line only if nothing identifies the customer. A refusal applies even if other values are invalid.
 *
 * @param today ISO date: no statement is later
 */
export function readCustomerLine(
  { contact, warnings: ofContact }: ReadContact,
  { regions, customerTypes }: CustomerSettings,
  today: string,
): CustomerLineResult {
  const { regiao = '', tipo_cliente = '', consentimento = '', data_consentimento = '' } = contact.extra;
  const warnings = [...ofContact];
  const warn = (column: string, expected: Expectation, value: string): null => {
    warnings.push(warningOf(fault('value_invalid', { column, expected }), value));
    return null;
  };
  const phoneOf = (field: (typeof phoneFields)[number]): string | null => {
    const written = contact[field];
    if (written === '') return null;
    return normalizePhone(written) ?? warn(phoneColumns[field], 'phone', written);
  };
  const idOf = (ids: ReadonlyMap<string, number>, name: string): number | null | undefined =>
    name === '' ? null : ids.get(foldName(name));
  const phones = { mobile: phoneOf('mobile'), phone: phoneOf('phone'), phone2: phoneOf('phone2') };
  const regionId = idOf(regions, regiao) ?? (regiao === '' ? null : warn('regiao', 'region', regiao));
  const customerTypeId =
    idOf(customerTypes, tipo_cliente) ??
    (tipo_cliente === '' ? null : warn('tipo_cliente', 'customer_type', tipo_cliente));
  const consent =
    consentimento === ''
      ? damagedRefusal(warnings)
      : (readConsent(consentimento) ?? warn('consentimento', 'consent', consentimento));
  const stated = data_consentimento.split('/').reverse().join('-');
  const consentDate =
    stated === ''
      ? null
      : stated > today
        ? warn('data_consentimento', 'past_date', data_consentimento)
        : stated;
  if (contact.code === '' && phoneFields.every((field) => phones[field] === null))
    return { ok: false, problem: fault('nobody_named', { column: 'codigo' }), warnings };
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
    warnings,
  };
}

/** A "não" whose ã was damaged still counts. */
const damagedRefusal = (warnings: readonly LineWarning[]): Consent | null =>
  warnings.some(
    ({ code, params, value }) =>
      code === 'value_damaged' && params.column === 'consentimento' && /^n\S{1,4}o$/i.test(value),
  )
    ? 'refused'
    : null;
