// `npm run check`: all static checks, in parallel. Each prints its output when it is done.
import { spawn } from 'node:child_process';

const checks = {
  types: ['tsc', '-p', '.'],
  // Types and trees live long: with the default size of the young generation, collecting garbage takes a fifth of it.
  lint: ['node', '--max-semi-space-size=128', 'scripts/lint.mjs'],
  format: ['prettier', '--check', '--cache', '--log-level', 'warn', '.'],
  'unused and circular': ['knip'],
};

const results = await Promise.all(
  Object.entries(checks).map(
    ([name, [command, ...args]]) =>
      new Promise((resolve, reject) => {
        const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
        let output = '';
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding('utf8').on('data', (text) => (output += text));
        child.once('error', reject);
        child.once('close', (code) => {
          if (code !== 0) console.log(`${name}: ${command} ${args.join(' ')}\n${output}`);
          resolve(code === 0);
        });
      }),
  ),
);
if (results.includes(false)) process.exitCode = 1;
