import { z } from 'zod';
import { entryUse, type EntryUse } from '../../domain/problems/errors.ts';
import { ApiError } from '../http/errors.ts';

/** At most 20 names for each kind. */
export const usesView = z.object({ usedBy: z.array(entryUse) });

/** The error of a request to delete an entry in use, or to move it to another category. */
export const inUse = (
  usedBy: readonly EntryUse[],
  refused: 'delete' | 'change_category' = 'delete',
): ApiError => new ApiError('in_use', { params: { usedBy: [...usedBy], refused } });
