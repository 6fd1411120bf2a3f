import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { Sql } from './client.ts';
import type { SealedPlace, SecretBox } from './secrets.ts';

/** The HMAC-SHA256 of a phone (E.164): what remains of an opt-out after its person is erased. */
export type PhoneHash = (phone: string) => Buffer;

const name = 'opt_out_hash';
const place: SealedPlace = { column: 'deployment_keys.sealed', row: name };

/**
 * The deployment's keyed hash of phones. Its key is random, generated at the first use and sealed in the database:
 * without SECRET_KEYS the hashes cannot be brute-forced, which takes minutes for plain hashes of eleven digits. The
 * plain key never reaches the database or its logs. A new key in SECRET_KEYS reseals it (db/core/reseal.ts) and does
 * not change the hashes.
 *
 * The returned function throws when the key is sealed with one of SECRET_KEYS that is missing.
 */
export function createPhoneHashing({ sql, box }: { sql: Sql; box: SecretBox }): () => Promise<PhoneHash> {
  let known: PhoneHash | null = null;
  return async () => (known ??= hashWith(await loadKey(sql, box)));
}

const hashWith =
  (key: KeyObject): PhoneHash =>
  (phone) =>
    createHmac('sha256', key).update(phone).digest();

async function loadKey(sql: Sql, box: SecretBox): Promise<KeyObject> {
  const fresh = box.seal(randomBytes(32).toString('base64'), place);
  await sql`insert into deployment_keys (name, sealed) values (${name}, ${fresh}) on conflict (name) do nothing`;
  const [row] = await sql<[{ sealed: string }]>`select sealed from deployment_keys where name = ${name}`;
  return createSecretKey(Buffer.from(box.open(row.sealed, place), 'base64'));
}
