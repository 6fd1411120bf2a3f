/** The old and the new value of a field. Two nulls: it changed, and its values are not kept. */
export type Change = [before: ChangeValue, after: ChangeValue];
export type ChangeValue = string | number | boolean | null | (string | number)[];
/** By the dotted path of the field. */
export type Changes = Record<string, Change>;

/** Longer texts are shortened: a change is read, not restored. */
const longestValue = 500;

/** The fields that differ between two documents. Lists of objects (the windows of hours) keep only that they changed. */
export function changesBetween(before: object, after: object, prefix = ''): Changes {
  const old = new Map<string, unknown>(Object.entries(before));
  const now = new Map<string, unknown>(Object.entries(after));
  const changes: Record<string, Change> = {};
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    const from = old.get(key) ?? null;
    const to = now.get(key) ?? null;
    if (isRecord(from) && isRecord(to)) Object.assign(changes, changesBetween(from, to, `${prefix}${key}.`));
    else if (JSON.stringify(from) !== JSON.stringify(to)) changes[prefix + key] = kept(from, to);
  }
  return changes;
}

/** The fields of `before` that `after` has as well: without its secrets, which are stored apart and not logged. */
export const fieldsAlsoIn = (after: object, before: object | null): object =>
  Object.fromEntries(Object.entries(before ?? {}).filter(([field]) => field in after));

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function kept(from: unknown, to: unknown): Change {
  const before = valueOf(from);
  const after = valueOf(to);
  return before === undefined || after === undefined ? [null, null] : [before, after];
}

/** Undefined: a value that is not kept. */
function valueOf(value: unknown): ChangeValue | undefined {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    return value.length > longestValue ? `${value.slice(0, longestValue)}…` : value;
  }
  if (!Array.isArray(value)) return undefined;
  const items = value.filter((one) => typeof one === 'string' || typeof one === 'number');
  return items.length === value.length ? items : undefined;
}
