import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, print } from 'graphql';
import { errorTables } from '../graphql/kit/errorTables.js';
import { referencePages } from './reference.js';
import { createSchema, sdlOf } from '../graphql/execution/schema.js';
import { documentIdOf } from '../graphql/transport/trustedDocuments.js';

// Emits what is published: the contract, the trusted documents by their ids, the tables of codes, and the
// pages of reference. The tests fail when the committed files are others.
const schema = createSchema();
writeFileSync('schema/schema.graphql', `${sdlOf(schema)}\n`);

const folder = join('schema', 'operations');
const documents = readdirSync(folder)
  .sort()
  .map((file) => print(parse(readFileSync(join(folder, file), 'utf8'))));
const manifest = Object.fromEntries(documents.map((text) => [documentIdOf(text), text]));
writeFileSync('schema/operations.json', `${JSON.stringify(manifest, null, 2)}\n`);

mkdirSync(join('docs', 'reference'), { recursive: true });
writeFileSync('docs/errors.md', errorTables(schema));
for (const [name, page] of Object.entries(referencePages('.'))) {
  writeFileSync(join('docs', 'reference', name), page);
}
