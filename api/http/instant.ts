import { z } from 'zod';

/**
 * An instant in an answer: a Date here, ISO 8601 on the wire. A codec and not `z.date()`, so that a client in
 * TypeScript (such as console/) reads the answers with the same schemas that the API writes them with.
 */
export const instant = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});
