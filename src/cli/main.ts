import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from './serve.js';

// The server without npm: what a container runs. dist/src/cli/main.js lies three folders below the root.
const here = dirname(fileURLToPath(import.meta.url));
await serve(process.env, dirname(dirname(dirname(here))));
