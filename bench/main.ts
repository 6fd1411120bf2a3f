import { parseArgs } from 'node:util';
import { benchSend } from './send.ts';

/** `npm run bench -- send [--contacts N] [--rounds N] [--json]`. Figures are for comparison within one run. */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: {
    json: { type: 'boolean', default: false },
    contacts: { type: 'string' },
    rounds: { type: 'string' },
  },
});

const number = (value: string | boolean | undefined, otherwise: number): number =>
  typeof value === 'string' ? Number(value) : otherwise;

switch (positionals[0]) {
  case 'send': {
    const result = await benchSend({
      contacts: number(values.contacts, 20_000),
      rounds: number(values.rounds, 5),
    });
    if (values.json) console.log(JSON.stringify(result));
    else console.table(result);
    break;
  }
  case 'kill': {
    const { main } = await import('./kill.ts');
    await main();
    break;
  }
  default:
    console.error('Name a benchmark: send, kill.');
    process.exitCode = 2;
}
