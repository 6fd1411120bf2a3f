import { z } from 'zod';

/**
 * An instant in a response: a Date here, ISO 8601 in JSON. A codec instead of `z.date()`, so that a client in TypeScript
 * (such as console/) can parse responses with the schemas of the API.
 */
export const instant = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});
