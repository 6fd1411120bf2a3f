import type { Locale, Role } from '../user.ts';
import { type Dictionary, dictionary } from './dictionary.ts';

export const roleLabels: Dictionary<Readonly<Record<Role, string>>> = dictionary(
  { admin: 'Administrador', operator: 'Operador', agent: 'Atendente', viewer: 'Leitor' },
  { admin: 'Administrator', operator: 'Operator', agent: 'Agent', viewer: 'Viewer' },
);

/** The languages by their own names. */
export const localeNames = { 'pt-BR': 'Português', en: 'English' } satisfies Record<Locale, string>;
