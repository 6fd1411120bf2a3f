import type { ContactField } from '../../domain/contact.ts';

/** The fields of a contact, in the order of the form. */
export const contactFieldNames = [
  'code',
  'name',
  'mobile',
  'phone',
  'phone2',
  'birthDate',
  'customMessage',
] as const satisfies readonly ContactField[];
