/**
 * A process that takes a lock, prints `step` while it certainly holds it, and `lost` when it no longer does. For
 * test/system/held-lock.test.ts.
 */
import { connect } from '../../db/core/client.ts';
import { withHeldLock } from '../../db/core/held-lock.ts';

const [url = '', name = ''] = process.argv.slice(2);
const sql = connect(url, { max: 2, application: 'held-lock-process' });
const stepMs = 20;
await withHeldLock(
  sql,
  name,
  (lock) =>
    new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const isHeld = lock.isHeld();
        console.log(isHeld ? 'step' : 'lost');
        if (isHeld) return;
        clearInterval(timer);
        resolve();
      }, stepMs);
    }),
).catch((error: unknown) => console.log(`ended: ${error instanceof Error ? error.name : String(error)}`));
await sql.end({ timeout: 1 });
