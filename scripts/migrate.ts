import { connect } from '../db/client.ts';
import { migrate, SchemaError } from '../db/migrate.ts';
import { seedSettings } from '../db/seed.ts';

/** `npm run migrate`: brings the database at DATABASE_URL up to date, and gives a new one its first settings. */
const url = process.env.DATABASE_URL;
if (!url) {
  console.error('Give DATABASE_URL: postgres://user:password@host:5432/database.');
  process.exit(1);
}
const sql = connect(url, { max: 3 });
try {
  const done = await migrate(sql);
  await seedSettings(sql, new Date());
  console.log(done.length > 0 ? `Applied ${done.join(', ')}.` : 'The schema is up to date.');
} catch (error) {
  console.error(error instanceof SchemaError ? error.message : error);
  process.exitCode = 1;
} finally {
  await sql.end();
}
