import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATEGORIES } from '../../src/capabilities.js';
import { referencePages } from '../../src/cli/reference.js';
import { VARIABLES } from '../../src/config.js';

const pages = referencePages('.');

it.each(Object.entries(pages))('docs/reference/%s is what the code says: npm run schema', (name, page) => {
  expect(readFileSync(join('docs', 'reference', name), 'utf8')).toBe(page);
});

it('there is no page that nobody makes', () => {
  expect(readdirSync(join('docs', 'reference')).sort()).toEqual(Object.keys(pages).sort());
});

it('every variable that is read stands in .env.example, and nothing else', () => {
  const listed = [...(pages['environment.md'] ?? '').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  const named = listed.filter((name) => !/^STRIPE_\w+_PRICE_ID$/.test(name ?? ''));
  // Another name of EVENTSTOREDB_URL, of which a sentence tells.
  expect(named.sort()).toEqual(VARIABLES.filter((name) => name !== 'EVENTSTORE_URL').sort());
});

it('every stream has a section, and every type of event a row', () => {
  const page = pages['events.md'] ?? '';
  const sections = new Set([...page.matchAll(/^## `([a-z_]+)-/gm)].map(([, category]) => category));
  expect([...sections].sort()).toEqual([...CATEGORIES].sort());
  const entries = JSON.parse(
    readFileSync(join('test', 'eventsourcing', 'everyEventVersion.json'), 'utf8'),
  ) as readonly { readonly type: string }[];
  const rows = new Set([...page.matchAll(/^\| `([A-Z]\w+)` \|/gm)].map(([, type]) => type));
  expect([...new Set(entries.map(({ type }) => type))].filter((type) => !rows.has(type))).toEqual([]);
});

it('says which commands, read models, policies and webhooks belong to an event', () => {
  const page = pages['events.md'] ?? '';
  const section = page.slice(page.indexOf('## `key-'));
  expect(section).toMatch(/Commands: .*`IssueKey`.*`RevokeKey`/);
  expect(section).toMatch(/^\| `KeyRevoked` \| .*`keys`.* \| `key\.revoked` \|$/m);
  expect(page).toMatch(/^\| `EmailRegistered` \| .* \| .*`open-account`.* \|/m);
});
