import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * Seals and opens the secrets of integrations and providers: AES-256-GCM, a random 96-bit nonce each, bound to the
 * row by `context` ("providers/7"), so that a sealed value copied into another row does not open.
 */
export interface SecretBox {
  seal(secret: string, context: string): string;
  /** Throws when the value was sealed with another key, for another row, or has been changed. */
  open(sealed: string, context: string): string;
  /** Whether it is sealed with the key that new values are sealed with. */
  isCurrent(sealed: string): boolean;
}

/** A secret is sealed with a key that is not configured (any more). */
export class SecretKeyMissing extends Error {
  override readonly name = 'SecretKeyMissing';
  constructor(keyId: string) {
    super(`A secret is sealed with the key "${keyId}", which is not configured.`);
  }
}

/** `keys`: 32 bytes each by key id. New values are sealed with the first; the others still open older ones. */
export function createSecretBox(keys: readonly { id: string; key: Buffer }[]): SecretBox {
  const [current] = keys;
  if (!current) throw new Error('createSecretBox needs at least one key');
  return {
    seal(secret, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce, { authTagLength: 16 });
      cipher.setAAD(Buffer.from(context));
      const sealed = Buffer.concat([
        nonce,
        cipher.update(secret, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return `${current.id}:${sealed.toString('base64')}`;
    },
    open(value, context) {
      const colon = value.indexOf(':');
      const key = keys.find(({ id }) => id === value.slice(0, colon));
      if (!key) throw new SecretKeyMissing(value.slice(0, colon));
      const bytes = Buffer.from(value.slice(colon + 1), 'base64');
      // Without authTagLength Node 20 accepts a tag cut to 4 bytes.
      const decipher = createDecipheriv('aes-256-gcm', key.key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
    },
    isCurrent: (sealed) => sealed.startsWith(`${current.id}:`),
  };
}
