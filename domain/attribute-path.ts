import { z } from 'zod';
import { coded } from './problems/coded.ts';

/** A dotted path to an attribute: `cliente.contato.celular`, `telefones.0`. */
export const attributePath = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^.]+(?:\.[^.]+)*$/, coded('attribute_path'));
