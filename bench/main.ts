import { parseArgs } from 'node:util';
import { benchLarge } from './large.ts';
import { benchSend } from './send.ts';

/**
 * `npm run bench -- send [--contacts N] [--rounds N] [--json]`, `… large [--lines N] [--receipts] [--json]`, `… kill`. Figures are for
 * comparison within one run.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: {
    json: { type: 'boolean', default: false },
    contacts: { type: 'string' },
    rounds: { type: 'string' },
    lines: { type: 'string' },
    receipts: { type: 'boolean', default: false },
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
  case 'large': {
    const result = await benchLarge({
      lines: number(values.lines, 1_000_000),
      receipts: values.receipts === true,
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
  case undefined:
  default:
    console.error('Name a benchmark: send, large, kill.');
    process.exitCode = 2;
}
