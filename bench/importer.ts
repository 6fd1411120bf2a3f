import { importedMailing } from '../activities/mailing.ts';
import { createImport } from '../activities/import.ts';
import { connect } from '../db/core/client.ts';
import { createPhoneHashing } from '../db/core/phone-hash.ts';
import { getRun } from '../db/runs/runs.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { createAddressGuard } from '../mailing/address-guard.ts';
import { createTokenCache } from '../mailing/authorization.ts';
import { defaultWebserviceLimits } from '../mailing/webservice.ts';

/**
 * Imports the runs that it is told of, as the worker's activity does, and nothing else: a process of its own, so that
 * its time and its memory are those of an import. `node --import tsx bench/importer.ts <database url>`, with a channel
 * for messages: a run's id in, the seconds it took out.
 */
const sql = connect(process.argv[2] ?? '', {
  application: 'torpedo-worker',
  genericPlans: true,
  purpose: 'bulk',
});
const box = createSecretBox([{ id: 'bench', key: Buffer.alloc(32) }]);
const importRun = createImport({
  sql,
  box,
  phoneHash: createPhoneHashing({ sql, box }),
  clock: () => new Date(),
  webservice: {
    guard: createAddressGuard(['127.0.0.1']),
    tokens: createTokenCache(),
    limits: defaultWebserviceLimits,
  },
  webserviceRetryMs: 1,
});

process.on('message', (runId: number) => {
  void importOne(runId).then((seconds) => process.send?.(seconds));
});

process.once('disconnect', () => process.exit());

async function importOne(runId: number): Promise<number> {
  const began = performance.now();
  const run = await getRun(sql, runId);
  if (!run) throw new Error(`There is no run ${runId}.`);
  await importRun(run, { attempt: 1, signal: new AbortController().signal });
  await importedMailing(sql, runId);
  return (performance.now() - began) / 1000;
}
