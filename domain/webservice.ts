import { z } from 'zod';
import type { ContactField } from './contact.ts';

/** A dotted path to an attribute: `cliente.contato.celular`, `telefones.0`. */
const path = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^.]+(?:\.[^.]+)*$/, 'Write attribute names with dots between, like cliente.celular.');
const optionalPath = path.nullable().default(null);

/** Which attribute of a record feeds which field of a contact; unset ones fall back to the default names. */
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

/** The mailing that is fetched from a web service when the run reads it. */
export const webserviceBlock = z.strictObject({
  /** http or https; what it has as a query is kept, and the parameters follow it. */
  baseUrl: z
    .url({ protocol: /^https?$/, error: 'Give an address that begins with https:// or http://.' })
    .max(2000)
    .nullable()
    .default(null),
  /** In this order. Values may hold date placeholders. */
  params: z
    .array(z.strictObject({ key: z.string().trim().min(1).max(100), value: z.string().max(1000) }))
    .max(50)
    .default([]),
  integrationId: z.int().positive().nullable().default(null),
  /** Contacts become customers, or update them. */
  registerCustomers: z.boolean().default(false),
  /** Where in the answer the array of records is; null: it is found. */
  recordsPath: optionalPath,
  fieldMap: fieldMap.prefault({}),
});
export type WebserviceBlock = z.infer<typeof webserviceBlock>;
