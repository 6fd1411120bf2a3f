import { z } from 'zod';
import type { Sql } from './client.ts';

const jsonValue = z.json();

/** A document as a json parameter; omits keys that are `undefined`. */
export const json = (sql: Sql, document: object) =>
  sql.json(jsonValue.parse(JSON.parse(JSON.stringify(document))));
