import type { FastifyInstance } from 'fastify';
import type { OpenApi, Operation } from '../rest/openapi.js';
import type { JsonSchema } from '../rest/declared/known.js';
import { schemaIn } from '../rest/openapi.js';

/** Where the document and the page stand. */
const PAGES = ['/docs', '/redoc'];

/**
 * The document of the routes at `/openapi.json`, and a page of it at `/docs` and `/redoc`. The page is plain HTML
 * without scripts: it works offline and under any policy; who wants a console loads the document into one.
 */
export function serveApiPage(fastify: FastifyInstance, api: OpenApi): void {
  const document = JSON.stringify(api);
  const page = pageOf(api);
  fastify.get('/openapi.json', async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(document),
  );
  for (const path of PAGES) {
    fastify.get(path, async (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
        .send(page),
    );
  }
}

function pageOf(api: OpenApi): string {
  const { info, servers, paths } = api;
  const [{ url = '' } = {}] = servers;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(url, method, path, operation)),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(info.title)}: API</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${text(info.title)} <small>${text(info.version)}</small></h1>
<p>The document of this page is <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
${operations.join('\n')}
</body>
</html>
`;
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff; }
h1 small { font-weight: normal; color: #57606a; }
details { border: 1px solid #d0d7de; border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem; }
summary { cursor: pointer; }
summary code { font-weight: 600; }
pre { background: #f6f8fa; padding: .75rem; overflow: auto; border-radius: 6px; font-size: 13px; }
td code { overflow-wrap: anywhere; } summary { overflow-wrap: anywhere; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
@media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117; } pre { background: #161b22; } details { border-color: #30363d; } a { color: #58a6ff; } }
`;

function section(url: string, method: string, path: string, operation: Operation): string {
  const { summary, parameters = [], requestBody, responses, security } = operation;
  const name = `${method.toUpperCase()} ${path}`;
  const rows = parameters.map(
    ({ name: parameter, in: where, required, schema }) =>
      `<tr><td><code>${text(parameter)}</code></td><td>${where}${required ? ', required' : ''}</td><td><code>${text(JSON.stringify(schema))}</code></td></tr>`,
  );
  const answers = Object.entries(responses).map(
    ([status, { description, content }]) =>
      `<h4>${text(status)}</h4><p>${text(description)}</p>${content ? json(schemaIn(content)) : ''}`,
  );
  const key = security.some((one) => Object.keys(one).length > 0);
  const body = requestBody && schemaIn(requestBody.content);
  const [type = ''] = Object.keys(requestBody?.content ?? {});
  const curl = [
    `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} ${url}${path}`,
    ...(key ? [`-H "Authorization: Bearer $KEY"`] : []),
    ...(body ? bodyArguments(type, body) : []),
  ].join(' \\\n  ');
  return `<details id="${text(operation.operationId)}">
<summary><code>${text(name)}</code> ${text(summary)}</summary>
<pre>${text(curl)}</pre>
${rows.length === 0 ? '' : `<table><tr><th>Parameter</th><th>In</th><th>Schema</th></tr>${rows.join('')}</table>`}
${body ? `<h4>Body</h4>${json(body)}` : ''}
${answers.join('\n')}
</details>`;
}

/** How curl sends a body, with what it has to have. */
function bodyArguments(type: string, schema: JsonSchema): string[] {
  if (type === 'multipart/form-data') {
    const { required = [], properties = {} } = schema as Fields;
    return required.map((name) => `-F '${name}=${properties[name]?.['format'] === 'binary' ? '@' : ''}…'`);
  }
  if (type !== 'application/json') return ['-T …'];
  return [`-H 'content-type: application/json'`, `-d '${JSON.stringify(sample(schema))}'`];
}

interface Fields {
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** The least that fits a schema; texts are to be filled in. */
function sample(schema: JsonSchema): unknown {
  if ('default' in schema) return schema['default'];
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0] as unknown;
  const options = (schema['anyOf'] ?? schema['oneOf']) as readonly JsonSchema[] | undefined;
  if (options?.[0]) return sample(options[0]);
  const { required = [], properties = {} } = schema as Fields;
  switch ([schema['type']].flat()[0]) {
    case 'object':
      return Object.fromEntries(required.map((name) => [name, sample(properties[name] ?? {})]));
    case 'array':
      return (schema['minItems'] ?? 0) === 0 ? [] : [sample((schema['items'] ?? {}) as JsonSchema)];
    case 'integer':
    case 'number':
      return schema['minimum'] ?? 1;
    case 'boolean':
      return true;
    default:
      return '…';
  }
}

const json = (value: unknown): string => `<pre>${text(JSON.stringify(value, null, 2))}</pre>`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const text = (value: string): string => value.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
