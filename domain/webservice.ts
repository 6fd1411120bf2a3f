import { z } from 'zod';
import { attributePath } from './attribute-path.ts';
import type { ContactField } from './contact.ts';
import { paging } from './paging.ts';
import { addressParam, baseUrl } from './web-address.ts';

const optionalPath = attributePath.nullable().default(null);

/** Which attribute of a record fills which field of a contact; unset fields use `defaultNames`. */
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
 * The default attributes of a field that the field map does not set: the first of these that a record has, compared by
 * `foldAttribute`.
 */
export const defaultNames = {
  code: ['codigo', 'code', 'codigoCliente', 'codCliente', 'customerCode', 'idCliente', 'id'],
  name: ['nome', 'name', 'nomeCompleto', 'fullName', 'nomeCliente', 'nomeFantasia', 'razaoSocial'],
  mobile: [
    ...['celular', 'mobile', 'mobilePhone', 'cellphone', 'telefoneCelular', 'celular1', 'telefoneMovel'],
    ...['numeroCelular', 'whatsapp', 'celulares'],
  ],
  phone: [
    ...[
      'telefone',
      'phone',
      'telefone1',
      'phone1',
      'phoneNumber',
      'fone',
      'numeroTelefone',
      'telefoneFixo',
      'tel',
    ],
    ...['telefones', 'phones'],
  ],
  phone2: ['telefone2', 'phone2', 'fone2', 'celular2', 'telefoneComercial', 'telefoneResidencial'],
  birthDate: [
    ...['dataNascimento', 'birthDate', 'dataDeNascimento', 'dateOfBirth', 'nascimento', 'birthday'],
    ...['dtNascimento', 'dataNasc'],
  ],
  // A service's attribute named "message" is rarely a text for the customer: only the field map can set this.
  customMessage: [],
} as const satisfies Record<ContactField, readonly string[]>;

/**
 * An attribute's name for comparison with default names and extra fields: without case, accents, spaces, underscores
 * and hyphens (`Data_Nascimento`, `data-nascimento` and `dataNascimento` are equal).
 */
export const foldAttribute = (name: string): string =>
  name
    .normalize('NFD')
    .replaceAll(/[\p{Mn}\s_-]/gu, '')
    .toLowerCase();

/** A mailing that a run fetches from a web service. */
export const webserviceBlock = z.strictObject({
  /** http or https; its query is kept, followed by the parameters. */
  baseUrl: baseUrl.nullable().default(null),
  /** In this order. Values may contain date placeholders (domain/web-address.ts). */
  params: z.array(addressParam).max(50).default([]),
  integrationId: z.int().positive().nullable().default(null),
  /** Creates or updates customers from contacts. */
  registerCustomers: z.boolean().default(false),
  /** The path of the array of records; null: detected. */
  recordsPath: optionalPath,
  paging: paging.prefault({ by: 'links' }),
  fieldMap: fieldMap.prefault({}),
});
export type WebserviceBlock = z.infer<typeof webserviceBlock>;
