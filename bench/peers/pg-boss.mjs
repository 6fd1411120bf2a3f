import { PgBoss } from 'pg-boss';
import { createGateway, messages, serve } from './gateway.mjs';

/** `node pg-boss.mjs <database url> <gateway url>`: a job for each message, with the fastest settings. */
const [, , connectionString = '', url = ''] = process.argv;
const gateway = createGateway(url);
const boss = new PgBoss({ connectionString, max: 10 });
boss.on('error', (error) => console.error(error));
await boss.start();
const queue = 'send';
await boss.createQueue(queue);
const chunk = 5_000;

serve(async (count) => {
  await boss.deleteAllJobs(queue);
  const jobs = messages(count).map((data) => ({ data }));
  while (jobs.length > 0) await boss.insert(queue, jobs.splice(0, chunk));
  await boss.getDb().executeSql('analyze');
  return async () => {
    // The outcome of each job is written separately. While one batch is written, the other is sent.
    const options = {
      batchSize: 250,
      localConcurrency: 2,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: 0.5,
      perJobResults: true,
    };
    await boss.work(queue, options, (batch) =>
      Promise.all(
        batch.map(async ({ id, data }) => ({
          id,
          status: 'completed',
          output: await gateway.send({ ...data, id }),
        })),
      ),
    );
    await untilAllAreDone();
    await boss.offWork(queue);
  };
});

async function untilAllAreDone() {
  for (;;) {
    const { rows } = await boss
      .getDb()
      .executeSql(`select exists (select from pgboss.job where state < 'completed') as is_left`);
    if (!rows[0].is_left) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
