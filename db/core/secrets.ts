import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * Every column that holds sealed values, with the column that identifies its rows. No other column can hold one: in the
 * schema these columns, and only these, have the type `sealed` (test/system/secrets.test.ts). So a change of keys
 * reaches all of them (db/core/reseal.ts).
 */
export const sealedColumns = {
  'providers.secrets': 'id',
  'integrations.secrets': 'id',
  'ticket_posting.secrets': 'id',
  'email_settings.secrets': 'id',
  'alert_webhook.secrets': 'id',
  'deployment_keys.sealed': 'name',
} as const satisfies Record<`${string}.${string}`, string>;
export type SealedColumn = keyof typeof sealedColumns;

/** Where a sealed value is stored. A value copied elsewhere cannot be opened there. */
export interface SealedPlace {
  column: SealedColumn;
  row: number | string;
}

/** Seals and opens secrets: AES-256-GCM with a random 96-bit nonce each, bound to their column and row. */
export interface SecretBox {
  seal(secret: string, place: SealedPlace): string;
  /** Throws when the value was sealed with another key or for another column or row, or has been changed. */
  open(sealed: string, place: SealedPlace): string;
  /** Whether it is sealed with the current key for new values. */
  isCurrent(sealed: string): boolean;
  /** The id of the current key for new values. */
  readonly keyId: string;
}

/** A secret is sealed with a key that is not configured (any more). */
export class SecretKeyMissing extends Error {
  override readonly name = 'SecretKeyMissing';
  readonly keyId: string;
  constructor(keyId: string) {
    super(`A secret is sealed with the key "${keyId}", which is not configured.`);
    this.keyId = keyId;
  }
}

/** `keys`: 32 bytes each, by key id. The first seals new values; the others still open older ones. */
export function createSecretBox(keys: readonly { id: string; key: Buffer }[]): SecretBox {
  const [current] = keys;
  if (!current) throw new Error('createSecretBox needs at least one key');
  const boundTo = ({ column, row }: SealedPlace): Buffer => Buffer.from(`${column}/${row}`);
  return {
    keyId: current.id,
    seal(secret, place) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce, { authTagLength: 16 });
      cipher.setAAD(boundTo(place));
      const sealed = Buffer.concat([
        nonce,
        cipher.update(secret, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return `${current.id}:${sealed.toString('base64')}`;
    },
    open(value, place) {
      const colon = value.indexOf(':');
      const key = keys.find(({ id }) => id === value.slice(0, colon));
      if (!key) throw new SecretKeyMissing(value.slice(0, colon));
      const bytes = Buffer.from(value.slice(colon + 1), 'base64');
      // Without authTagLength Node 20 accepts a tag cut to 4 bytes.
      const decipher = createDecipheriv('aes-256-gcm', key.key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(boundTo(place));
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
    },
    isCurrent: (sealed) => sealed.startsWith(`${current.id}:`),
  };
}
