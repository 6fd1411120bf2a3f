import { z } from 'zod';
import { ApiError } from '../http/errors.ts';

/** What uses an entry of the settings: by its name, or, of what there are many, how many. */
export const entryUse = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['campaign', 'subcategory', 'provider']), id: z.int(), name: z.string() }),
  z.object({ kind: z.enum(['tickets', 'customers', 'runs']), count: z.int() }),
]);
export type EntryUse = z.infer<typeof entryUse>;

/** Of those that have names at most 20 of a kind. */
export const usesView = z.object({ usedBy: z.array(entryUse) });

const nouns = {
  tickets: ['ticket', 'tickets'],
  customers: ['customer', 'customers'],
  runs: ['run', 'runs'],
} as const;

const inWords = (use: EntryUse): string => {
  switch (use.kind) {
    case 'campaign':
      return `“${use.name}”`;
    case 'subcategory':
      return `the subcategory “${use.name}”`;
    case 'provider':
      return `the provider “${use.name}”`;
    case 'tickets':
    case 'customers':
    case 'runs':
      return `${use.count} ${nouns[use.kind][use.count === 1 ? 0 : 1]}`;
  }
};

/** The refusal to take away what is in use; `instead`: what to do. */
export function inUse(
  usedBy: readonly EntryUse[],
  { otherwise = 'another entry', instead = 'Archive it instead of deleting it.', how = '' } = {},
): ApiError {
  const names = usedBy.map(inWords).join(', ') || otherwise;
  return new ApiError('in_use', {
    message: `It is in use by ${names}${how}. ${instead}`,
    details: { usedBy: [...usedBy] },
  });
}
