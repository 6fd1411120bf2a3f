import { toUSVString } from 'node:util';
import type { z } from 'zod';
import { readFault } from '../../domain/problems/catalog.ts';
import { type Problem, problem, type ProblemCode } from '../../domain/problems/coded.ts';
import type { ValueKind } from '../../domain/problems/fields.ts';
import { ApiError } from './errors.ts';

type InputCode = 'invalid_fields' | 'invalid_parameters';

/** Parses the input, and reports every missing or wrong field at once. Throws `ApiError`. */
export function parseInput<T extends z.ZodType>(
  schema: T,
  value: unknown,
  code: InputCode = 'invalid_fields',
): z.output<T> {
  requireFitTexts(value, code);
  return outputOf(schema.safeParse(value, parsing), code);
}

/** The same with a schema whose checks read the database. */
export async function parseInputAsync<T extends z.ZodType>(
  schema: T,
  value: unknown,
  code: InputCode = 'invalid_fields',
): Promise<z.output<T>> {
  requireFitTexts(value, code);
  return outputOf(await schema.safeParseAsync(value, parsing), code);
}

const parsing = { reportInput: true, error: codeOf };

function requireFitTexts(value: unknown, code: InputCode): void {
  const unfit = unfitTexts(value);
  if (unfit.length > 0) throw new ApiError(code, { problems: unfit });
}

function outputOf<T>(result: z.ZodSafeParseResult<T>, code: InputCode): T {
  if (result.success) return result.data;
  const problems = new Map<string, Problem>();
  for (const problem of result.error.issues.flatMap(problemsOf)) {
    if (problems.size < maxProblems) problems.set(JSON.stringify(problem), problem);
  }
  throw new ApiError(code, { problems: [...problems.values()] });
}

/** A body of 1 MiB can have 100,000 problems. */
const maxProblems = 100;

/** The code of an issue whose schema defines no code. */
function codeOf(issue: z.core.$ZodRawIssue): ProblemCode {
  switch (issue.code) {
    case 'invalid_type':
      return 'wrong_type';
    case 'invalid_value':
      return 'not_an_option';
    case 'invalid_union':
      return issue.discriminator === undefined ? 'invalid' : 'not_an_option';
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'instant_format'
        : issue.format === 'date'
          ? 'date_format'
          : 'invalid';
    case 'too_small':
      return issue.origin === 'string' ? 'too_short' : issue.origin === 'array' ? 'too_few' : 'too_small';
    case 'too_big':
      return issue.origin === 'string' ? 'too_long' : issue.origin === 'array' ? 'too_many' : 'too_big';
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return 'invalid';
  }
}

const kinds: Readonly<Record<string, ValueKind>> = {
  string: 'text',
  number: 'number',
  int: 'whole_number',
  boolean: 'boolean',
  array: 'list',
  set: 'list',
  object: 'object',
  record: 'object',
  null: 'null',
};

/** The parameters that zod provides for a check, for the messages of the corresponding codes. */
function factsOf(issue: z.core.$ZodIssue): object {
  switch (issue.code) {
    case 'invalid_type':
      return { expected: kinds[issue.expected] };
    case 'invalid_value':
      return { options: issue.values.map(String) };
    case 'invalid_union':
      return { options: 'options' in issue ? issue.options?.map(String) : undefined };
    case 'too_small':
      return { minimum: Number(issue.minimum) };
    case 'too_big':
      return { maximum: Number(issue.maximum) };
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return {};
  }
}

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const { message } = issue;
  const field = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => problem(field === '' ? key : `${field}.${key}`, 'unknown_field'));
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.flatMap((inner) => problemsOf({ ...inner, path: issue.path }));
  }
  const isMissing = issue.input === undefined && ['invalid_type', 'invalid_value'].includes(issue.code);
  if (isMissing) return [problem(field, 'missing')];
  const own = issue.code === 'custom' ? issue.params : undefined;
  const found = own ? readFault(own.code, own.params) : readFault(message, factsOf(issue));
  return [found === null ? problem(field, 'invalid') : { field, ...found }];
}

/** No valid input is nested this deep, and reading it must not overflow the stack. */
const deepest = 64;

/**
 * The path of a value that neither PostgreSQL's text nor its jsonb can store, in any field: NUL, or half of a surrogate
 * pair (https://www.postgresql.org/docs/18/datatype-json.html).
 */
function unfitTexts(input: unknown): Problem[] {
  const problems: Problem[] = [];
  const left: { value: unknown; path: readonly string[] }[] = [{ value: input, path: [] }];
  for (let one = left.pop(); one && problems.length < maxProblems; one = left.pop()) {
    const { value, path } = one;
    const field = path.join('.');
    if (typeof value === 'string') {
      if (!isFit(value)) problems.push(problem(field, 'text_unfit'));
    } else if (typeof value === 'object' && value !== null) {
      if (path.length === deepest) problems.push(problem(field, 'nested_too_deep'));
      else if (!Object.keys(value).every(isFit)) problems.push(problem(field, 'name_unfit'));
      else
        for (const [key, inner] of Object.entries(value)) left.push({ value: inner, path: [...path, key] });
    }
  }
  return problems;
}

const isFit = (text: string): boolean => !text.includes('\0') && toUSVString(text) === text;
