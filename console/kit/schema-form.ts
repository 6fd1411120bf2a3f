import { z } from 'zod';
import { FormValues } from './form-data.ts';

/**
 * Forms and the schemas with which the API reads their documents. A field's name is its path in the document
 * (form-data.ts), so that the schema alone determines how a form is read and what its fields allow.
 */

/** The wrappers of a schema: nullable, optional, a default, a conversion. */
interface Unwrapped {
  schema: z.core.$ZodType;
  takesNull: boolean;
  mayBeMissing: boolean;
}

function unwrap(
  schema: z.core.$ZodType,
  around: Omit<Unwrapped, 'schema'> = { takesNull: false, mayBeMissing: false },
): Unwrapped {
  if (schema instanceof z.ZodNullable) return unwrap(schema.unwrap(), { ...around, takesNull: true });
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrap(schema.unwrap(), { ...around, mayBeMissing: true });
  if (schema instanceof z.ZodPipe) return unwrap(schema.in, around);
  return { schema, ...around };
}

/** The fields of a union for a choice; null if there is no such choice. */
function optionOf(union: z.ZodDiscriminatedUnion, choice: string): z.core.$ZodType | null {
  const { discriminator, options } = union.def;
  const fits = (option: z.core.$ZodType): boolean =>
    fieldsIn(unwrap(option).schema).some(
      ([name, value]) => name === discriminator && z.safeParse(value, choice).success,
    );
  return options.find(fits) ?? null;
}

const inside = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/**
 * The document of a form, in the API's format; `path` is its position in the form.
 *
 * Nothing is validated here: an invalid number or choice is passed on as entered, and the API reports it at its field.
 * An unchecked box is false. An empty field is null if the schema accepts null, and omitted if it has a default or is
 * optional; so is a field that the form does not have.
 */
export function readForm(schema: z.ZodType, form: FormValues, path = ''): Readonly<Record<string, unknown>> {
  const read = readValue(schema, form, path);
  return typeof read === 'object' ? { ...read } : {};
}

/** The reverse: a document as its form shows it, with its records as rows of a name and a value. */
export function withRows(wrapped: z.core.$ZodType, value: unknown): unknown {
  const { schema } = unwrap(wrapped);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (schema instanceof z.ZodRecord)
    return Object.entries(value).map(([name, inner]) => ({ name, value: withRows(schema.valueType, inner) }));
  const fields = new Map(fieldsIn(schema));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const field = fields.get(name);
      return [name, field ? withRows(field, inner) : inner];
    }),
  );
}

function readValue(wrapped: z.core.$ZodType, form: FormValues, path: string): unknown {
  const { schema, takesNull, mayBeMissing } = unwrap(wrapped);
  const nothing = takesNull ? null : undefined;
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const { discriminator } = schema.def;
    const kind = form.text(inside(path, discriminator));
    const option = optionOf(schema, kind);
    if (option === null) return kind === '' ? nothing : { [discriminator]: kind };
    return readValue(option, form, path);
  }
  if (schema instanceof z.ZodObject) {
    if ((takesNull || mayBeMissing) && path !== '' && isBlank(form, path)) return nothing;
    const values = Object.entries<z.core.$ZodType>(schema.shape).map(
      ([name, value]) => [name, readValue(value, form, inside(path, name))] as const,
    );
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  }
  if (schema instanceof z.ZodRecord) {
    return Object.fromEntries(
      filledRows(schema, form, path).map((row) => [
        form.text(`${row}.name`).trim(),
        readValue(schema.valueType, form, `${row}.value`),
      ]),
    );
  }
  if (schema instanceof z.ZodArray) {
    if (unwrap(schema.element).schema instanceof z.ZodObject)
      return filledRows(schema, form, path).map((row) => readValue(schema.element, form, row));
    return wordsIn(form, path);
  }
  if (schema instanceof z.ZodBoolean) return form.checked(path);
  if (!form.has(path)) return undefined;
  if (form.optional(path) === null && (takesNull || mayBeMissing)) return nothing;
  return isNumeric(schema) ? form.number(path) : form.text(path);
}

/** Checked boxes, or entered text with commas or line ends in between. */
const wordsIn = (form: FormValues, path: string): string[] =>
  form
    .all(path)
    .flatMap((value) => value.split(/[,;\n]/))
    .map((value) => value.trim())
    .filter((value) => value !== '');

const isNumeric = (schema: z.core.$ZodType): boolean =>
  schema instanceof z.ZodNumber ||
  (schema instanceof z.ZodUnion && schema.options.some((option) => isNumeric(unwrap(option).schema)));

const isBlank = (form: FormValues, path: string): boolean =>
  [...form.pairs()].every(([name, value]) => !name.startsWith(`${path}.`) || value.trim() === '');

/** The rows of a list with entered values: a choice always has a value, so a choice alone does not count. */
function filledRows(list: z.ZodArray | z.ZodRecord, form: FormValues, path: string): string[] {
  const typed = list instanceof z.ZodRecord ? ['name'] : typedIn(list.element);
  return form
    .rows(path)
    .map((index) => `${path}.${index}`)
    .filter((row) => typed.some((name) => form.all(`${row}.${name}`).some((value) => value.trim() !== '')));
}

function typedIn(element: z.core.$ZodType): string[] {
  const { schema } = unwrap(element);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries<z.core.$ZodType>(schema.shape).flatMap(([name, value]) => {
    const { schema: inner } = unwrap(value);
    return inner instanceof z.ZodEnum || inner instanceof z.ZodBoolean ? [] : [name];
  });
}

/**
 * The form with the rows numbered as `readForm` has read them, so that the API's problems appear at the right rows when
 * it is shown again.
 */
export function withoutBlankRows(schema: z.ZodType, form: FormValues, path = ''): FormValues {
  const numbers = new Map<string, string | null>();
  for (const [list, of] of listsIn(schema, path)) {
    for (const index of form.rows(list)) numbers.set(`${list}.${index}`, null);
    for (const [index, row] of filledRows(of, form, list).entries()) numbers.set(row, `${list}.${index}`);
  }
  return new FormValues(
    [...form.pairs()].flatMap(([name, value]) => {
      const row = [...numbers.keys()].find((one) => name === one || name.startsWith(`${one}.`));
      if (row === undefined) return [[name, value] as const];
      const renumbered = numbers.get(row);
      return renumbered ? [[renumbered + name.slice(row.length), value] as const] : [];
    }),
  );
}

function* listsIn(
  wrapped: z.core.$ZodType,
  path: string,
): Generator<readonly [string, z.ZodArray | z.ZodRecord]> {
  const { schema } = unwrap(wrapped);
  if (schema instanceof z.ZodRecord) yield [path, schema];
  else if (schema instanceof z.ZodArray) {
    if (unwrap(schema.element).schema instanceof z.ZodObject) yield [path, schema];
  } else for (const [name, value] of fieldsIn(schema)) yield* listsIn(value, inside(path, name));
}

/** The fields of an object, or of all members of a union. */
function fieldsIn(schema: z.core.$ZodType): (readonly [string, z.core.$ZodType])[] {
  if (schema instanceof z.ZodObject) return Object.entries<z.core.$ZodType>(schema.shape);
  if (schema instanceof z.ZodDiscriminatedUnion)
    return schema.options.flatMap((option) => fieldsIn(unwrap(option).schema));
  return [];
}

/** The API names an entry of a record by its key; the form has it in a row. */
export function problemsInRows<P extends { field: string }>(
  schema: z.ZodType,
  form: FormValues,
  problems: readonly P[],
): P[] {
  const records = [...listsIn(schema, '')].filter(([, of]) => of instanceof z.ZodRecord);
  return problems.map((problem) => {
    const [path, of] = records.find(([record]) => problem.field.startsWith(`${record}.`)) ?? [];
    if (path === undefined || of === undefined) return problem;
    const rest = problem.field.slice(path.length + 1);
    for (const row of filledRows(of, form, path)) {
      const key = form.text(`${row}.name`).trim();
      if (rest === key || rest.startsWith(`${key}.`))
        return { ...problem, field: `${row}.value${rest.slice(key.length)}` };
    }
    return { ...problem, field: path };
  });
}

/** What a schema requires of a field, for the attributes of its input. */
export interface Limits {
  required?: boolean;
  maxLength?: number;
  min?: number;
  max?: number;
}

/** Empty if the schema does not know the field. In a row of a list nothing is required: a blank row is ignored. */
export function limitsOf(wrapped: z.core.$ZodType, name: string): Limits {
  const { schema, takesNull, mayBeMissing } = unwrap(wrapped);
  if (name === '') {
    const required = !takesNull && !mayBeMissing && !(schema instanceof z.ZodBoolean);
    if (schema instanceof z.ZodNumber)
      return { required, ...given('min', schema.minValue), ...given('max', schema.maxValue) };
    const takesEmpty = z.safeParse(schema, '').success;
    const maxLength = schema instanceof z.ZodString ? schema.maxLength : null;
    return { required: required && !takesEmpty, ...given('maxLength', maxLength) };
  }
  const [first = '', ...others] = name.split('.');
  const rest = others.join('.');
  if (schema instanceof z.ZodArray && /^(?:\d+|__N__)$/.test(first))
    return { ...limitsOf(schema.element, rest), required: false };
  if (schema instanceof z.ZodRecord && rest === 'value')
    return { ...limitsOf(schema.valueType, ''), required: false };
  for (const [field, value] of fieldsIn(schema)) if (field === first) return limitsOf(value, rest);
  return {};
}

const given = (name: keyof Limits, value: number | null): Limits =>
  value === null || !Number.isSafeInteger(value) || Math.abs(value) === Number.MAX_SAFE_INTEGER
    ? {}
    : { [name]: value };
