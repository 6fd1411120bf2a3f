import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { stepHeartbeatMs } from '../workflows/proxies.ts';

const beatMs = 1_000;

/**
 * Sends the heartbeats of activities that send none themselves: those with the timeout of `steps`. The others report
 * their progress in their heartbeats, which these would overwrite.
 */
export const stepHeartbeats = (context: Context): ActivityInterceptors => ({
  inbound: {
    async execute(input, next) {
      if (context.info.heartbeatTimeoutMs !== stepHeartbeatMs) return next(input);
      const beat = setInterval(() => context.heartbeat(), beatMs);
      try {
        return await next(input);
      } finally {
        clearInterval(beat);
      }
    },
  },
});
