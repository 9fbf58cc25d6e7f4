import { writeFileSync } from 'node:fs';
import { printSchema } from 'graphql';
import { createSchema } from '../graphql/schema.js';

// Emits the published contract; the tests fail when the committed file is another one.
writeFileSync('schema/schema.graphql', `${printSchema(createSchema())}\n`);
