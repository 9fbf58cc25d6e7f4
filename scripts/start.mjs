// `npm start`: from a bare clone to a running server.
import { ensureBuilt, ensureInstalled, root } from './lib.mjs';

await ensureInstalled({ development: false });
await ensureBuilt();
const { serve } = await import('../dist/src/cli/serve.js');
await serve(process.env, root);
