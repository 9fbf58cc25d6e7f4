import { writeFileSync } from 'node:fs';
import { createSchema, sdlOf } from '../graphql/schema.js';

// Emits the published contract; the tests fail when the committed file is another one.
writeFileSync('schema/schema.graphql', `${sdlOf(createSchema())}\n`);
