import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { createGateway, messages, serve } from './gateway.mjs';

/**
 * `node graphile-worker.mjs <database url> <gateway url> <batched|single>`: a job for each message. `batched`: the fastest
 * settings; `single`: the defaults, with one statement to fetch and one to complete each job.
 */
const [, , connectionString = '', url = '', jobs = ''] = process.argv;
// https://worker.graphile.org/docs/performance#batching
const batching =
  jobs === 'batched' ? { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {};
const gateway = createGateway(url);
const logger = new Logger(() => () => undefined);
const utils = await makeWorkerUtils({ connectionString, logger });
await utils.migrate();
const chunk = 5_000;

serve(async (count) => {
  const waiting = messages(count).map((payload) => ({ identifier: 'send', payload }));
  while (waiting.length > 0) await utils.addJobs(waiting.splice(0, chunk));
  await utils.withPgClient((client) => client.query('analyze'));
  return async () => {
    const runner = await run({
      preset: {
        worker: {
          connectionString,
          logger,
          concurrentJobs: gateway.inFlight,
          maxPoolSize: 10,
          pollInterval: 100,
          ...batching,
        },
      },
      taskList: {
        send: async (payload, { job }) => {
          await gateway.send({ ...payload, id: job.id });
        },
      },
      noHandleSignals: true,
    });
    await untilAllAreDone();
    await runner.stop();
  };
});

/** Waits until no job is left: a completed job is deleted. */
async function untilAllAreDone() {
  for (;;) {
    const { rows } = await utils.withPgClient((client) =>
      client.query('select exists (select from graphile_worker._private_jobs) as is_left'),
    );
    if (!rows[0].is_left) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
