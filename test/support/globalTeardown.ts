import pg from 'pg';

export default async function globalTeardown(): Promise<void> {
  const template = process.env['TEST_TEMPLATE'];
  if (template === undefined) return;
  delete process.env['TEST_TEMPLATE'];
  const url = process.env['DATABASE_URL'];
  // That of the embedded database is kept for the next run.
  if (url === undefined) return;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
  await admin.end();
}
