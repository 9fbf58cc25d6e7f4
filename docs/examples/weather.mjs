// A server that sells its API with Tollgraph: it asks about the caller's key before it answers. Start it with
//   SERVER_KEY=wx_live_… node docs/examples/weather.mjs
// TOLLGRAPH is where Tollgraph listens (http://127.0.0.1:4000), PORT where this server does (8080).
import { createServer } from 'node:http';

const { SERVER_KEY, TOLLGRAPH = 'http://127.0.0.1:4000', PORT = '8080' } = process.env;

/** Whether a key may make this call. Takes one request from its plan where it may. */
async function verify(secret, endpoint) {
  const response = await fetch(`${TOLLGRAPH}/v1/keys/verify`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SERVER_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ secret, spend: { endpoint } }),
  });
  if (!response.ok) throw new Error(`Tollgraph answered ${response.status}: ${await response.text()}`);
  return response.json();
}

function answer(reply, status, body, headers = []) {
  for (const { name, value } of headers) reply.setHeader(name, value);
  reply.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

createServer(async (request, reply) => {
  const key = request.headers.authorization?.replace(/^Bearer /, '');
  if (!key) return answer(reply, 401, { error: 'Send your key: "Authorization: Bearer wx_live_…".' });
  try {
    const { valid, code, headers, plan, retryAfterSeconds } = await verify(key, '/forecast');
    if (valid) return answer(reply, 200, { forecast: 'sunny', plan: plan.id }, headers);
    // A limit says when to come again; everything else is wrong with the key.
    if (retryAfterSeconds !== null) reply.setHeader('retry-after', retryAfterSeconds);
    answer(reply, retryAfterSeconds === null ? 401 : 429, { error: code }, headers);
  } catch (error) {
    console.error(error.message);
    answer(reply, 503, { error: 'Try again in a moment.' });
  }
}).listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}/forecast`));
