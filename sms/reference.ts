/**
 * Our message id as a client reference for a provider, such as `4f0c2a91-123`. The prefix is unique to the provider row of
 * this deployment: two deployments, or a reinstalled one, may share an account at the provider and both count from 1.
 * With the prefix, a returned reference is certainly ours, and a duplicate that the provider reports is a real one.
 */
export interface Reference {
  write(messageId: number): string;
  /** Null for a reference that is not ours. */
  read(reference: unknown): number | null;
}

export const createReference = (prefix: string): Reference => ({
  write: (messageId) => `${prefix}-${messageId}`,
  read: (reference) => {
    if (typeof reference !== 'string' || !reference.startsWith(`${prefix}-`)) return null;
    const id = reference.slice(prefix.length + 1);
    return /^[1-9]\d{0,15}$/.test(id) ? Number(id) : null;
  },
});
