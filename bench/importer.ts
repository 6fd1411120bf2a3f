import { createCosts } from '../activities/costs.ts';
import { createImport } from '../activities/import.ts';
import { checkPreflight } from '../activities/preflight.ts';
import { connect } from '../db/core/client.ts';
import { createPhoneHashing } from '../db/core/phone-hash.ts';
import { getRun } from '../db/runs/runs.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { createAddressGuard } from '../mailing/address-guard.ts';
import { createTokenCache } from '../mailing/authorization.ts';
import { defaultWebserviceLimits } from '../mailing/webservice.ts';

/**
 * Imports the requested runs like the worker's activity. It is a separate process, so that its time and its memory are
 * those of an import. `node --import tsx bench/importer.ts <database url>`, with a message channel: the input is the id
 * of a run, the output is the duration in seconds.
 */
const sql = connect(process.argv[2] ?? '', {
  application: 'torpedo-worker',
  genericPlans: true,
  purpose: 'bulk',
});
const box = createSecretBox([{ id: 'bench', key: Buffer.alloc(32) }]);
const clock = (): Date => new Date();
const importRun = createImport({
  sql,
  box,
  phoneHash: createPhoneHashing({ sql, box }),
  clock,
  webservice: {
    guard: createAddressGuard(['127.0.0.1']),
    tokens: createTokenCache(),
    limits: defaultWebserviceLimits,
  },
  webserviceRetryMs: 1,
});

/** Not part of the measurement. */
const planSending = () => Promise.resolve({ next: 'done', details: '' } as const);

process.on('message', (runId: number) => {
  void importOne(runId).then((seconds) => process.send?.(seconds));
});

process.once('disconnect', () => process.exit());

async function importOne(runId: number): Promise<number> {
  const startedAt = performance.now();
  const run = await getRun(sql, runId);
  if (!run) throw new Error(`There is no run ${runId}.`);
  await importRun(run, { attempt: 1, signal: new AbortController().signal });
  await checkPreflight({ sql, clock, costs: createCosts({ clock }), planSending }, runId);
  return (performance.now() - startedAt) / 1000;
}
