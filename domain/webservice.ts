import { z } from 'zod';
import { attributePath } from './attribute-path.ts';
import type { ContactField } from './contact.ts';
import { paging } from './paging.ts';
import { addressParam, baseUrl } from './web-address.ts';

const optionalPath = attributePath.nullable().default(null);

/** Which attribute of a record feeds which field of a contact; unset ones fall back to `defaultNames`. */
export const fieldMap = z.strictObject({
  code: optionalPath,
  name: optionalPath,
  mobile: optionalPath,
  phone: optionalPath,
  phone2: optionalPath,
  birthDate: optionalPath,
  customMessage: optionalPath,
} satisfies Record<ContactField, typeof optionalPath>);
export type FieldMap = z.infer<typeof fieldMap>;

/**
 * The attributes that a field is read from where the field map names none: the first of these that a record has, as
 * `foldAttribute` compares names.
 */
export const defaultNames = {
  code: ['codigo', 'code', 'codigoCliente', 'customerCode', 'id'],
  name: ['nome', 'name', 'nomeCompleto', 'fullName'],
  mobile: ['celular', 'mobile', 'mobilePhone', 'cellphone', 'telefoneCelular'],
  phone: ['telefone', 'phone', 'telefone1', 'phone1', 'phoneNumber', 'fone'],
  phone2: ['telefone2', 'phone2', 'fone2'],
  birthDate: ['dataNascimento', 'birthDate', 'dataDeNascimento', 'dateOfBirth', 'nascimento', 'birthday'],
  // What a service calls a message is rarely meant for the customer: only the campaign says so.
  customMessage: [],
} as const satisfies Record<ContactField, readonly string[]>;

/**
 * An attribute's name as it is compared with a default name or an extra field's: without case, accents, spaces,
 * underscores and hyphens (`Data_Nascimento`, `data-nascimento` and `dataNascimento` are one).
 */
export const foldAttribute = (name: string): string =>
  name
    .normalize('NFD')
    .replaceAll(/[\p{Mn}\s_-]/gu, '')
    .toLowerCase();

/** The mailing that is fetched from a web service when the run reads it. */
export const webserviceBlock = z.strictObject({
  /** http or https; what it has as a query is kept, and the parameters follow it. */
  baseUrl: baseUrl.nullable().default(null),
  /** In this order. Values may hold date placeholders (domain/web-address.ts). */
  params: z.array(addressParam).max(50).default([]),
  integrationId: z.int().positive().nullable().default(null),
  /** Contacts become customers, or update them. */
  registerCustomers: z.boolean().default(false),
  /** Where in the answer the array of records is; null: it is found. */
  recordsPath: optionalPath,
  paging: paging.prefault({ by: 'links' }),
  fieldMap: fieldMap.prefault({}),
});
export type WebserviceBlock = z.infer<typeof webserviceBlock>;
