import type { ActivityInterceptors } from '@temporalio/worker';
import { withoutData } from '../activities/failure.ts';

/** Keeps values that an unexpected error quotes out of Temporal's histories and of the worker's log. */
export const failuresWithoutData = (): ActivityInterceptors => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        throw withoutData(error);
      }
    },
  },
});
