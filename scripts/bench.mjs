// `npm run bench` and `npm run bench:<name>`: installs, builds and measures.
import { ensureBuilt, ensureInstalled } from './lib.mjs';

const [name] = process.argv.slice(2);
await ensureInstalled({ development: true });
await ensureBuilt({ tests: true });
await import(`../dist/bench/${name}.js`);
