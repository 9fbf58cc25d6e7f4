// The product itself, as it is started by `npm start`, with an account and a live key of its own.
import { parseConfig } from '../src/config.js';
import { jsonLogger } from '../src/logger.js';
import { start } from '../src/main.js';

const [root = '', dataDir = ''] = process.argv.slice(2);
const app = await start({
  config: parseConfig({ ...process.env, DATA_DIR: dataDir, PORT: '0', EMBEDDINGS: 'off' }),
  root,
  log: jsonLogger(),
});

const post = async (query: string, token?: string): Promise<string> => {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query }),
  });
  return response.text();
};
const registered = await post(
  'mutation { registerUser(input: {email: "bench@example.com", password: "correct horse"}) { ... on RegisterUserPayload { session { sessionToken } } } }',
);
const token = /"sessionToken":"([^"]+)"/.exec(registered)?.[1];
const issued = await post(
  'mutation { issueKey(input: {name: "bench"}) { ... on IssueKeyPayload { secret } } }',
  token,
);
const key = /"secret":"([^"]+)"/.exec(issued)?.[1];
if (key === undefined) throw new Error(`no key: ${registered} ${issued}`);
process.send?.({ url: `${app.url}/graphql`, key });
process.on('message', () => void app.close().then(() => process.exit(0)));
