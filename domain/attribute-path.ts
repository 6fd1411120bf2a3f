import { z } from 'zod';

/** A dotted path to an attribute: `cliente.contato.celular`, `telefones.0`. */
export const attributePath = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^.]+(?:\.[^.]+)*$/, 'Write attribute names with dots between, like cliente.celular.');
