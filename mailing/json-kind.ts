import type { ValueKind } from '../domain/problems/fields.ts';

/** The type of a JSON value, as a code of the catalog. */
export function valueKindOf(value: unknown): ValueKind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return 'number';
  return typeof value === 'boolean' ? 'boolean' : 'object';
}
