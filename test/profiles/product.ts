import { Ajv2020 } from 'ajv/dist/2020.js';
import { elapsed } from '../../src/clock.js';
import type { OpenApi } from '../../src/rest/openapi.js';
import { schemaIn } from '../../src/rest/openapi.js';
import type { TestApp, TestAppOptions } from '../support/app.js';
import { startApp } from '../support/app.js';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Sent {
  /** In `Authorization: Bearer`. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A profile that runs, asked over HTTP as its clients do, with a clock that can be advanced. */
export interface Product {
  readonly t: TestApp;
  /** What /openapi.json says; every answer is held against it. */
  readonly document: OpenApi;
  ask(route: string, sent?: Sent): Promise<Reply>;
  advance(ms: number): void;
  now(): number;
}

let places = 0;

export async function startProduct(profile: string, options: TestAppOptions = {}): Promise<Product> {
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  const t = await startApp({
    ...options,
    env: { PROFILE: profile, ...options.env },
    time: { clock, elapsed: () => elapsed() + ahead },
  });
  const document = (await (await fetch(`${t.app.url}/openapi.json`)).json()) as OpenApi;
  const promised = promisesOf(document);
  return {
    t,
    document,
    now: clock,
    advance: (ms) => void (ahead += ms),
    ask: async (route, { key, headers = {}, body } = {}) => {
      const [method = '', path = ''] = route.split(' ');
      const place = ++places;
      const response = await fetch(t.app.url + path, {
        method,
        redirect: 'manual',
        headers: {
          // Each call from an address of its own: what is limited by address is tried elsewhere.
          'x-forwarded-for': `10.9.${(place >> 8) & 255}.${place & 255}`,
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const parsed = text === '' ? undefined : (JSON.parse(text) as unknown);
      const { status } = response;
      expect({ route, status, broken: promised(method, path, status, parsed) }).toEqual({
        route,
        status,
        broken: [],
      });
      return { status, headers: response.headers, body: parsed };
    },
  };
}

const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });

/** How an answer breaks what the document promises of its operation; nothing of what is no operation. */
export function promisesOf({ paths }: OpenApi) {
  const operations = Object.entries(paths).map(([path, methods]) => ({
    // A fixed path goes before a parameter.
    parameters: path.split('{').length - 1,
    pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}(\\?.*)?$`),
    methods,
  }));
  operations.sort((a, b) => a.parameters - b.parameters);
  return (method: string, path: string, status: number, body: unknown): unknown[] => {
    const operation = operations.find(({ pattern }) => pattern.test(path))?.methods[method.toLowerCase()];
    if (!operation) return [];
    const response = operation.responses[String(status)] ?? operation.responses['default'];
    if (!response) return [`${status} is not declared`];
    return response.content ? problems(schemaIn(response.content), body) : [];
  };
}

/** Asks every operation with nothing: each is served, and answers what is declared. */
export const askEverything = (product: Product): Promise<void> =>
  askOperations(product.document, (method, path) => product.ask(`${method} ${path}`));

/** The same with another way to ask. */
export async function askOperations(
  document: OpenApi,
  ask: (method: string, path: string) => Promise<Pick<Reply, 'status' | 'headers'>>,
): Promise<void> {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const method of Object.keys(methods)) {
      const { status, headers } = await ask(method.toUpperCase(), path.replace(/\{\w+\}/g, 'none'));
      expect([path, method, status]).not.toEqual([path, method, 405]);
      expect(headers.get('content-type')).toMatch(/json/);
    }
  }
}

/** An object with exactly these properties; a type name with `?` may be null. */
export function shape(properties: Readonly<Record<string, string | object>>): object {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties),
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, type]) => [
        name,
        typeof type === 'object'
          ? type
          : type.endsWith('?')
            ? { type: [type.slice(0, -1), 'null'] }
            : { type },
      ]),
    ),
  };
}

export const list = (items: object): object => ({ type: 'array', items });
/** A number, or the word for none. */
export const LIMIT = { anyOf: [{ type: 'integer' }, { const: 'unlimited' }] };

/** What is wrong with a body, by its JSON Schema; nothing where it fits. */
export function problems(schema: object, body: unknown): unknown[] {
  const check = ajv.compile(schema);
  return check(body) ? [] : [body, ...(check.errors ?? [])];
}

/** FastAPI's 422: the place and the kind of each issue. */
export const issues = ({ body }: Reply): unknown[] =>
  (body as { detail: { loc: unknown[]; type: string; msg: string }[] }).detail.map(({ loc, type, msg }) => {
    expect(typeof msg).toBe('string');
    return [loc.join('.'), type];
  });
