import { parseArgs } from 'node:util';
import { faults } from './faults.ts';
import { buildSandbox } from './index.ts';

/**
 * The sandbox as a process of its own. Prints one line when it is ready, and stops on SIGTERM or SIGINT.
 *
 *   tsx sandbox/main.ts --port 9910 --account-sid AC… --auth-token … [--inbound-url URL] [--ledger FILE]
 *     [--seed N] [--faults JSON]
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '9910' },
    'account-sid': { type: 'string' },
    'auth-token': { type: 'string' },
    'inbound-url': { type: 'string' },
    ledger: { type: 'string' },
    seed: { type: 'string', default: '1' },
    faults: { type: 'string', default: '{}' },
  },
});

const accountSid = values['account-sid'];
const authToken = values['auth-token'];
if (accountSid === undefined || authToken === undefined) {
  console.error('The sandbox needs --account-sid and --auth-token.');
  process.exit(2);
}

const sandbox = await buildSandbox({
  accountSid,
  authToken,
  inboundUrl: values['inbound-url'],
  ledgerFile: values.ledger,
  seed: Number(values.seed),
  faults: faults.parse(JSON.parse(values.faults)),
});
console.log(`The sandbox gateway listens on ${await sandbox.listen(Number(values.port))}`);

const stop = (): void => void sandbox.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
