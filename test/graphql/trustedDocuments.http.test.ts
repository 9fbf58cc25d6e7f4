import { readFileSync } from 'node:fs';
import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

const manifest = JSON.parse(readFileSync('schema/operations.json', 'utf8')) as Record<string, string>;
const idOf = (start: string): string =>
  Object.entries(manifest).find(([, text]) => text.startsWith(start))?.[0] as string;

async function send(body: object, key?: string) {
  const response = await fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { 'x-api-key': key }) },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, ...((await response.json()) as object) };
}

describe('a trusted document', () => {
  it('is asked for by its id, with variables, and charged like any', async () => {
    const { secret } = await t.customer();
    const body = { documentId: idOf('query Patterns'), variables: { first: 1 } };
    for (let i = 1; i <= 2; i++) {
      const answer = await send(body, secret);
      expect(answer).toMatchObject({ status: 200, data: { patterns: { nodes: [] } } });
      expect(answer.headers.get('x-ratelimit-used')).toBe(String(i));
    }
    expect(await send(body)).toMatchObject({ status: 401 });
  });

  it('that is not there is DOCUMENT_UNKNOWN', async () => {
    for (const documentId of ['sha256:0', '', '__proto__', 'x'.repeat(10_000)]) {
      expect(await send({ documentId })).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: 'DOCUMENT_UNKNOWN' } }],
      });
    }
  });

  it('beside a query, or with an id that is no text, is BODY_INVALID', async () => {
    for (const body of [
      { documentId: 1 },
      { documentId: null },
      { documentId: idOf('query Limits'), query: '{ __typename }' },
    ]) {
      expect(await send(body)).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: 'BODY_INVALID' } }],
      });
    }
  });
});
