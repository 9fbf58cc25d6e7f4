// `npm run bench`: installs, builds and measures.
import { ensureBuilt, ensureInstalled } from './lib.mjs';

await ensureInstalled({ development: true });
await ensureBuilt({ tests: true });
await import('../dist/bench/bench.js');
