import { StartError } from '../embedded/start-error.ts';
import { printedError } from '../health/start.ts';
import { startSystem } from './system.ts';

/**
 * `npm start`: runs the whole system on this machine, until Ctrl-C. Settings: README, "Run it". Use `-- --restored`
 * after its data folder was restored from a copy.
 */
const { env } = process;
const port = (name: string, value: number): number => Number(env[name] ?? value);
const began = performance.now();

let stopping = false;
let stop = async (): Promise<void> => undefined;
const end = (code: number, why: string): void => {
  if (stopping) return;
  stopping = true;
  console.log(why);
  void stop().then(
    () => process.exit(code),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
};
// During the start, a Ctrl-C waits until everything that has started can be stopped.
const state = { started: false };
const early = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (state.started) end(0, 'Stopping: the outcomes of messages in flight are recorded first.');
    else early.abort();
  });
}

try {
  const system = await startSystem({
    dataDir: env.TORPEDO_DATA_DIR ?? new URL('../.torpedo', import.meta.url).pathname,
    ports: {
      api: port('PORT', 3000),
      postgres: port('TORPEDO_PG_PORT', 5499),
      temporal: port('TORPEDO_TEMPORAL_PORT', 7233),
      temporalUi: port('TORPEDO_TEMPORAL_UI_PORT', 8233),
      sandbox: port('TORPEDO_SANDBOX_PORT', 3003),
    },
    environment: env,
    example: true,
    log: (message) => console.log(message),
    signal: early.signal,
    restored: process.argv.includes('--restored'),
  });
  stop = () => system.stop();
  state.started = true;
  if (early.signal.aborted) end(0, 'Stopping.');
  else {
    const lines = [
      `Torpedo is ready after ${((performance.now() - began) / 1000).toFixed(1)} s.`,
      `  Console                    ${system.apiUrl}/`,
      `  API and its documentation  ${system.apiUrl}/api/docs`,
      ...(system.temporalUiUrl ? [`  Temporal UI                ${system.temporalUiUrl}`] : []),
      `  Sandbox gateway            ${system.sandbox.url}`,
      ...(system.firstAdmin
        ? [
            `  First admin                ${system.firstAdmin.login} / ${system.firstAdmin.password}  (for the first sign-in)`,
          ]
        : []),
      'Press Ctrl-C to stop it.',
    ];
    console.log(lines.join('\n'));
    void system.failed.then((why) => end(1, why));
  }
} catch (error) {
  if (early.signal.aborted) process.exit(0);
  console.error(error instanceof StartError ? error.message : printedError(error));
  process.exit(1);
}
