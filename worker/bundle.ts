import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';

const root = new URL('../', import.meta.url);
const cache = new URL('node_modules/.cache/torpedo/', root);

/**
 * The workflows as Temporal's sandbox runs them. Bundling takes seconds, so the result is cached in node_modules/.cache
 * under the hash of all its inputs.
 */
export async function workflowBundle(): Promise<WorkflowBundle> {
  const file = new URL(`workflows-${await sourceHash()}.js`, cache);
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) return { code: kept };
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('workflows/index.ts', root)),
    logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: console.error },
  });
  await mkdir(cache, { recursive: true });
  // Renamed into place: another process may be doing the same.
  const draft = new URL(`${file.pathname}.${process.pid}`, root);
  await writeFile(draft, code);
  await rename(draft, file);
  return { code };
}

const silent = (): void => undefined;

async function sourceHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['workflows/', 'domain/']) {
    for (const name of (await readdir(new URL(folder, root), { recursive: true })).sort()) {
      if (name.endsWith('.ts')) hash.update(name).update(await readFile(new URL(folder + name, root)));
    }
  }
  const require = createRequire(import.meta.url);
  hash.update(await readFile(require.resolve('@temporalio/workflow/package.json')));
  return hash.digest('hex').slice(0, 16);
}
