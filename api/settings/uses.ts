import { z } from 'zod';
import { entryUse, type EntryUse } from '../../domain/problems/errors.ts';
import { ApiError } from '../http/errors.ts';

/** Of those that have names at most 20 of a kind. */
export const usesView = z.object({ usedBy: z.array(entryUse) });

/** The refusal to delete what is in use, or to move it to another category. */
export const inUse = (
  usedBy: readonly EntryUse[],
  refused: 'delete' | 'change_category' = 'delete',
): ApiError => new ApiError('in_use', { params: { usedBy: [...usedBy], refused } });
