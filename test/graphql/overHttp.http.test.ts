import { auditServer } from 'graphql-http';
import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

/** What GraphQL over HTTP recommends and this server does otherwise, with the reason. */
const EXPLAINED: Readonly<Record<string, string>> = {
  '5A70': 'a GET that a browser sends without asking first is refused: protection from CSRF',
  D6D5: 'the same',
  '6A70': 'the same',
  '572B':
    'no answer without data is a success, whatever the client accepts: proxies and monitors see the 400',
  FDE2: 'the same',
  '7B9B': 'the same',
};

it("passes graphql-http's audit: no error, and each notice is explained", async () => {
  const results = await auditServer({ url: `${t.app.url}/graphql` });
  expect(results.length).toBeGreaterThan(50);
  const found = results.flatMap((result) => {
    const { id, name, status } = result;
    return status === 'ok' ? [] : [{ id, name, status, reason: result.reason }];
  });
  expect(found.filter(({ status }) => status === 'error')).toEqual([]);
  expect(found.filter(({ id }) => !(id in EXPLAINED))).toEqual([]);
  const ids = found.map(({ id }) => id);
  expect(Object.keys(EXPLAINED).filter((id) => !ids.includes(id))).toEqual([]);
});
