import { rm } from 'node:fs/promises';
import pg from 'pg';

export default async function globalTeardown(): Promise<void> {
  const templates = ['TEST_TEMPLATE_READY', 'TEST_TEMPLATE'].map((name) => {
    const template = process.env[name];
    delete process.env[name];
    return template;
  });
  const places = process.env['TEST_PLACES'];
  delete process.env['TEST_PLACES'];
  if (places !== undefined) await rm(places, { recursive: true, force: true, maxRetries: 3 });
  const url = process.env['DATABASE_URL'];
  // Those of the embedded database are kept for the next run.
  if (url === undefined || templates.includes(undefined)) return;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  for (const template of templates) await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
  await admin.end();
}
