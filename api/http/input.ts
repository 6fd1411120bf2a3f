import { toUSVString } from 'node:util';
import type { z } from 'zod';
import type { Problem } from '../../domain/campaign.ts';
import { ApiError } from './errors.ts';

/** Parses what came in, naming every field that is missing or wrong at once. Throws `ApiError`. */
export function parseInput<T extends z.ZodType>(
  schema: T,
  value: unknown,
  code: 'invalid_fields' | 'invalid_parameters' = 'invalid_fields',
): z.output<T> {
  const unfit = unfitTexts(value);
  if (unfit.length > 0) throw new ApiError(code, { problems: unfit });
  const result = schema.safeParse(value, {
    reportInput: true,
    error: (issue) =>
      issue.code === 'invalid_type' && issue.input === undefined ? 'This field is required.' : undefined,
  });
  if (result.success) return result.data;
  const problems = new Map<string, Problem>();
  for (const problem of result.error.issues.flatMap(problemsOf)) {
    if (problems.size < maxProblems) problems.set(JSON.stringify(problem), problem);
  }
  throw new ApiError(code, { problems: [...problems.values()] });
}

/** A body of a megabyte can have a hundred thousand of them. */
const maxProblems = 100;

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const { message } = issue;
  const field = issue.path.join('.');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        field: field === '' ? key : `${field}.${key}`,
        code: 'unknown_field',
        message: 'There is no such field.',
      }));
    case 'custom': {
      const code: unknown = issue.params?.code;
      return [{ field, code: typeof code === 'string' ? code : 'invalid', message }];
    }
    case 'invalid_type':
      return [{ field, code: issue.input === undefined ? 'missing' : 'invalid', message }];
    case 'too_big':
    case 'too_small':
      return [{ field, code: issue.code, message }];
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_union':
    case 'invalid_value':
    case 'not_multiple_of':
      return [{ field, code: 'invalid', message }];
  }
}

/** Nothing that we take is nested so deep, and whoever reads it shall not run out of stack. */
const deepest = 64;

/**
 * Where something stands that neither PostgreSQL's text nor its jsonb can hold, whatever the field is: NUL, or half of a
 * surrogate pair (https://www.postgresql.org/docs/18/datatype-json.html).
 */
function unfitTexts(input: unknown): Problem[] {
  const problems: Problem[] = [];
  const left: { value: unknown; path: readonly string[] }[] = [{ value: input, path: [] }];
  for (let one = left.pop(); one && problems.length < maxProblems; one = left.pop()) {
    const { value, path } = one;
    const refuse = (message: string): void => {
      problems.push({ field: path.join('.'), code: 'invalid', message });
    };
    if (typeof value === 'string') {
      if (!isFit(value)) refuse('A text holds neither NUL nor half of a surrogate pair.');
    } else if (typeof value === 'object' && value !== null) {
      if (path.length === deepest) refuse('This is nested too deep.');
      else if (!Object.keys(value).every(isFit))
        refuse('A name holds neither NUL nor half of a surrogate pair.');
      else
        for (const [key, inner] of Object.entries(value)) left.push({ value: inner, path: [...path, key] });
    }
  }
  return problems;
}

const isFit = (text: string): boolean => !text.includes('\0') && toUSVString(text) === text;
