import { Ajv2020 } from 'ajv/dist/2020.js';
import { elapsed } from '../../src/clock.js';
import type { JsonSchema } from '../../src/rest/declared/known.js';
import type { OpenApi, Operation } from '../../src/rest/openapi.js';
import { schemaIn } from '../../src/rest/openapi.js';
import type { Shop, ShopOptions } from '../billing/shop.js';
import { openShop } from '../billing/shop.js';
import type { TestApp } from '../support/app.js';
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
  /** What a back end that stands behind does with a customer's key: it spends requests. @returns the code */
  spend(secret: string, requests: number): Promise<string>;
  advance(ms: number): void;
  now(): number;
  /** Where payments are taken. */
  readonly shop: Shop;
  close(): Promise<void>;
}

let places = 0;

/** @param options.paid takes payments, with a stand-in for Stripe whose time stands still */
export async function startProduct(
  profile: string,
  { paid = false, webhookPath, ...options }: ShopOptions & { readonly paid?: boolean } = {},
): Promise<Product> {
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  const settings = {
    ...options,
    env: { PROFILE: profile, ...options.env },
    time: { clock, elapsed: () => elapsed() + ahead },
  };
  const from = new Date(Date.now() + 2_000).toISOString();
  const shop = paid
    ? await openShop(from, { ...settings, ...(webhookPath !== undefined && { webhookPath }) })
    : undefined;
  const t = shop?.test ?? (await startApp(settings));
  let backEnd: Promise<string> | undefined;
  const document = (await (await fetch(`${t.app.url}/openapi.json`)).json()) as OpenApi;
  const promised = promisesOf(document);
  return {
    t,
    document,
    now: clock,
    advance: (ms) => void (ahead += ms),
    get shop() {
      if (!shop) throw new Error('payments are not taken');
      return shop;
    },
    close: () => (shop ?? t).close(),
    spend: async (secret, requests) => {
      backEnd ??= (async () => {
        const user = await t.register();
        await t.makeOperator(user);
        return (await t.issueKey(user.token, 'LIVE', ['ADMIN'])).secret;
      })();
      const { data } = await t.raw(
        `mutation Spend($secret: String!, $quantity: Quantity!) {
          verifyKey(input: { secret: $secret, spend: {
            quantities: [{ meter: "requests", quantity: $quantity }], endpoint: "/work", method: "POST"
          } }) { ... on VerifyKeyPayload { code } }
        }`,
        { secret, quantity: String(requests) },
        await backEnd,
      );
      return (data?.['verifyKey'] as { code: string }).code;
    },
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
      const { status } = response;
      // A page for people, such as the one after a payment, promises nothing to programs.
      if (response.headers.get('content-type')?.startsWith('text/html')) {
        return { status, headers: response.headers, body: text };
      }
      const parsed = text === '' ? undefined : (JSON.parse(text) as unknown);
      const asked = route.slice(0, 200);
      expect({ asked, status, broken: promised(method, path, status, parsed) }).toEqual({
        asked,
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

/** Ends the subscription on the portal's page, as a person does. */
export async function cancelOn(portal: string): Promise<void> {
  const page = await (await fetch(portal)).text();
  const [, subscription = ''] = /name="subscription" value="([^"]+)"/.exec(page) ?? [];
  const form = { method: 'POST', body: new URLSearchParams({ subscription }), redirect: 'manual' } as const;
  expect((await fetch(`${portal}/cancel`, form)).status).toBe(303);
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
      expect(headers.get('content-type')).toMatch(path.startsWith('/checkout/') ? /html|json/ : /json/);
    }
  }
}

/** Each has once stopped something, or would have. */
const HOSTILE = ['\0', 'half \ud83d', 'a\u2028\u202eb', '__proto__', `'";--\\`, 'x'.repeat(100_000)];
/** The first line of a request and its headers have at most 16 KiB. */
const MAX_IN_ADDRESS = 4_000;

/**
 * Law 11 on every route of the product: texts that no client sends, in each place where a text may stand and with
 * everything else as it should be. Each answer has a status and a shape that are declared.
 */
export async function throwTexts(product: Product): Promise<void> {
  for (const [path, methods] of Object.entries(product.document.paths)) {
    // Ours are tried elsewhere.
    if (path.startsWith('/v1/')) continue;
    for (const [method, operation] of Object.entries(methods)) {
      // What an account may ask in a minute is not what is tried.
      const { token } = await product.t.customer();
      for (const { place, address, body } of callsWith(path, operation)) {
        const { status } = await product.ask(`${method.toUpperCase()} ${address}`, {
          key: token,
          ...(body !== undefined && { body }),
        });
        expect({ method, path, place, failed: status >= 500 }).toEqual({
          method,
          path,
          place,
          failed: false,
        });
      }
    }
  }
}

/** What an operation is sent: one hostile text in one place each time. */
function* callsWith(path: string, { parameters = [], requestBody }: Operation) {
  const schema = requestBody && schemaIn(requestBody.content);
  const properties = Object.entries((schema?.['properties'] ?? {}) as Record<string, JsonSchema>);
  const sound = Object.fromEntries(properties.map(([name, one]) => [name, soundFor(name, one)]));
  const addressOf = (place: string, text: string): string => {
    const shown = (name: string) => (name === place ? encodeURIComponent(text.toWellFormed()) : 'x');
    const query = parameters
      .filter((one) => one.in === 'query' && (one.required || one.name === place))
      .map(({ name }) => `${name}=${shown(name)}`);
    return `${path.replace(/\{(\w+)\}/g, (_all, name: string) => shown(name))}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  };
  for (const text of HOSTILE) {
    for (const { name, in: where } of parameters) {
      if (where === 'header') continue;
      const address = addressOf(name, text.slice(0, MAX_IN_ADDRESS));
      yield { place: `${where} ${name}`, address, body: schema && sound };
    }
    for (const [name] of properties) {
      yield { place: `body ${name}`, address: addressOf('', ''), body: { ...sound, [name]: text } };
    }
    if (schema) yield { place: 'body', address: addressOf('', ''), body: JSON.stringify(text) };
  }
}

function soundFor(name: string, schema: JsonSchema): unknown {
  if (name === 'email') return 'somebody@example.com';
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  switch (schema['type']) {
    case 'integer':
    case 'number':
      return schema['minimum'] ?? 1;
    case 'boolean':
      return true;
    default:
      return 'something else';
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
