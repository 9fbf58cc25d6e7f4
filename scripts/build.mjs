import { ensureBuilt, ensureInstalled } from './lib.mjs';

await ensureInstalled({ development: false });
await ensureBuilt();
