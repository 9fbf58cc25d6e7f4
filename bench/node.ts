// One process of the product, in the role that the environment names; it stops when it is told to.
import { parseConfig } from '../src/config.js';
import { jsonLogger } from '../src/logger.js';
import { startRole } from '../src/main.js';

const [root = ''] = process.argv.slice(2);
const server = await startRole({ config: parseConfig(process.env), root, log: jsonLogger() });
process.send?.({ url: server.url });
process.on('message', () => void server.close().then(() => process.exit(0)));
