import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { PatternsDocument } from '../generated/graphql.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

it('answers', async () => {
  const { secret } = await t.customer();
  const answer = await t.query(PatternsDocument, { first: 5 }, secret);
  expect(answer.status).toBe(200);
  expect(answer.data?.patterns?.totalCount).toBe(0);
});
