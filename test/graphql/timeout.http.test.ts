import { TIMEOUT_MS } from '../../src/graphql/execution/execution.js';
import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

it('a call that takes too long is given up with 504 TIMEOUT, whatever limits it', async () => {
  const { secret } = await t.customer();
  const { sql } = t.app.parts;
  const send = sql.query.bind(sql);
  // What asks for patterns or for usage hears nothing, until the end: workers ask, too, and have to end.
  const unheard: (() => void)[] = [];
  sql.query = (text, params) =>
    /\bread\.(catalogue|usage)\w*_v\d/.test(text) && /^\s*SELECT/.test(text)
      ? new Promise((resolve) => unheard.push(() => resolve(send(text, params) as never)))
      : (send(text, params) as never);
  try {
    const began = performance.now();
    const answers = await Promise.all(
      ['{ patterns { nodes { id } } }', '{ account { usage { calls } } }'].map((query) =>
        t.raw(query, {}, secret),
      ),
    );
    expect(performance.now() - began).toBeGreaterThan(TIMEOUT_MS - 100);
    for (const { status, data, errors } of answers) {
      expect([status, data, errors?.[0]?.extensions['code']]).toEqual([504, undefined, 'TIMEOUT']);
    }
  } finally {
    sql.query = send;
    for (const answer of unheard) answer();
  }
});
