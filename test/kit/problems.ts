import type { z } from 'zod';
import { answered, ApiError } from '../../api/http/errors.ts';
import { parseInput } from '../../api/http/input.ts';
import { createFormat } from '../../domain/format.ts';
import type { Locale } from '../../domain/user.ts';

/** Returns the API's problems with a document as `field: sentence`. */
export function problemsIn(schema: z.ZodType, document: unknown, locale: Locale = 'en'): string[] {
  try {
    parseInput(schema, document);
    return [];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const format = createFormat(locale, null);
    return (error.content.problems ?? []).map((problem) => {
      const { field, message } = answered(problem, format);
      return `${field}: ${message}`;
    });
  }
}
