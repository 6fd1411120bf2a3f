import { readResealConfig } from '../config.ts';
import { connect } from '../db/core/client.ts';
import { assertMigrated } from '../db/core/migrate.ts';
import { describeLost, resealAll } from '../db/core/reseal.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { printedError } from '../health/start.ts';

/**
 * `npm run reseal`: seals every secret in the database at DATABASE_URL with the first of SECRET_KEYS. API and workers
 * do the same when they start; this also reports the result, and whether the other keys can be removed. Exits with 1 if
 * a secret is sealed with a missing key.
 */
async function main(): Promise<void> {
  const { DATABASE_URL, SECRET_KEYS } = readResealConfig();
  const box = createSecretBox(SECRET_KEYS);
  const sql = connect(DATABASE_URL, { max: 1, application: 'torpedo-reseal' });
  try {
    await assertMigrated(sql);
    const { resealed, values, lost } = await resealAll(sql, box);
    console.log(`Resealed ${resealed} of ${values} secrets with the key "${box.keyId}".`);
    for (const one of lost) console.error(describeLost(one));
    if (lost.length > 0) {
      console.error(
        'Add the missing keys to SECRET_KEYS and run this command again, or enter these secrets again.',
      );
      process.exitCode = 1;
    } else console.log('The other keys can be removed from SECRET_KEYS.');
  } finally {
    await sql.end();
  }
}

try {
  await main();
} catch (error) {
  console.error(printedError(error));
  process.exitCode = 1;
}
