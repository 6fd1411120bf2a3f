import { z } from 'zod';
import type { Sql } from './client.ts';

const jsonValue = z.json();

/** A document of ours as a json parameter; keys that are `undefined` are left out. */
export const json = (sql: Sql, document: object) =>
  sql.json(jsonValue.parse(JSON.parse(JSON.stringify(document))));
