import { z } from 'zod';
import type { JsonSchema } from './declared/known.js';
import { anyOf } from './declared/known.js';
import type { CompiledRoute, CompiledRoutes } from './declared/compile.js';
import { CONFLICT, STATUSES } from './declared/refused.js';
import { PROBLEM } from './problem.js';
import type { Route, RouteSpec } from './route.js';

/** OpenAPI 3.1, whose schemas are JSON Schema as it is. */
export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes: Readonly<Record<string, object>> };
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Content;
  };
  readonly responses: Readonly<Record<string, Response>>;
  /** Any of these will do; none is asked for where the list is empty. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: JsonSchema;
}

interface Response {
  readonly description: string;
  readonly content?: Content;
}

/** A body, by its media type. */
type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** The schema of a body: here each has one media type. */
export const schemaIn = (content: Content): JsonSchema => Object.values(content)[0]?.schema ?? {};

const SCHEMES = {
  authorization: { bearer: { type: 'http', scheme: 'bearer', description: 'A key or a session token.' } },
  'x-api-key': { apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A key.' } },
} as const;

/**
 * What there is over HTTP beside GraphQL, made of the declarations that are served: the profile's routes and ours.
 * @param declared of the profile, where it has routes of its own
 */
export function openApiOf(
  { title, url }: { readonly title: string; readonly url: string },
  declared: CompiledRoutes | undefined,
  ours: readonly Route[],
): OpenApi {
  const credentials = declared?.file.credentials ?? (['authorization', 'x-api-key'] as const);
  const paths: Record<string, Record<string, Operation>> = {};
  const add = (path: string, method: string, operation: Operation): void => {
    (paths[path] ??= {})[method.toLowerCase()] = operation;
  };
  for (const variants of byPlace(declared?.routes ?? [])) {
    const [{ path, method } = { path: '', method: '' }] = variants;
    add(template(path), method, operationOf(variants, credentials));
  }
  for (const route of ours) add(template(route.path), route.method, ownOperation(route));
  add('/v1/health', 'GET', HEALTH);
  return {
    openapi: '3.1.0',
    info: { title, version: declared?.file.version ?? '1' },
    servers: [{ url }],
    paths,
    components: {
      securitySchemes: Object.assign({}, ...Object.values(SCHEMES)) as Record<string, object>,
    },
  };
}

/** E.g. `getApiV1KeysId`. */
const operationIdOf = (method: string, path: string): string =>
  method.toLowerCase() + path.replace(/[^A-Za-z0-9]+(.)?/g, (_all, next: string = '') => next.toUpperCase());

const template = (path: string): string => path.replace(/:(\w+)/g, '{$1}');

function byPlace(routes: readonly CompiledRoute[]): CompiledRoute[][] {
  const places = new Map<string, CompiledRoute[]>();
  for (const route of routes) {
    const place = `${route.method} ${route.path}`;
    places.set(place, [...(places.get(place) ?? []), route]);
  }
  return [...places.values()];
}

function operationOf(
  variants: readonly CompiledRoute[],
  credentials: CompiledRoutes['file']['credentials'],
): Operation {
  const [first] = variants as [CompiledRoute];
  const { declared, method, path } = first;
  const open = variants.some((route) => isOpen(route));
  const body = declared.body;
  let redirects: Operation['responses'] = {};
  const responses = new Map<number, { descriptions: Set<string>; schemas: JsonSchema[] }>();
  const respond = (status: number, description: string, schema: JsonSchema): void => {
    const known = responses.get(status) ?? { descriptions: new Set(), schemas: [] };
    known.descriptions.add(description);
    known.schemas.push(schema);
    responses.set(status, known);
  };
  for (const route of variants) {
    respond(route.declared.status, 'The answer.', route.answer.schema);
    if (route.redirect) redirects = { '303': { description: 'For who asks for a page: see Location.' } };
    for (const [code, otherwise] of codesOf(route, variants)) {
      const [status, schema] = route.failures.schemaOf(code, otherwise);
      respond(status, code, schema);
    }
  }
  return {
    operationId: operationIdOf(method, path),
    summary: variants.map((route) => route.declared.summary).join(' '),
    parameters: parametersOf(variants),
    ...(body && {
      requestBody: { required: !('default' in body), content: { 'application/json': { schema: body } } },
    }),
    responses: {
      ...redirects,
      ...Object.fromEntries(
        [...responses].map(([status, { descriptions, schemas }]) => [
          String(status),
          {
            description: [...descriptions].join(', '),
            content: { 'application/json': { schema: anyOf(schemas) } },
          },
        ]),
      ),
    },
    security: [
      ...(open ? [{}] : []),
      ...(open && !declared.counted
        ? []
        : credentials.map((name) => ({ [Object.keys(SCHEMES[name])[0] as string]: [] }))),
    ],
  };
}

const isOpen = ({ access, declared }: CompiledRoute): boolean =>
  declared.counted || access.every(({ anyone }) => anyone === true);

/** Codes of the failures that a route can have, with the status of those that are no errors of their own. */
function codesOf(route: CompiledRoute, variants: readonly CompiledRoute[]): Map<string, number | undefined> {
  const { declared, calls, access } = route;
  const codes = new Map<string, number | undefined>();
  const add = (code: string, status?: number): void => void codes.set(code, status);
  for (const code of Object.keys(declared.failures)) add(code.replace(/\..*$/, ''));
  if (!isOpen(route)) add('KEY_MISSING');
  if (access.some(({ anyone, scope }) => anyone !== true && scope !== undefined)) add('SCOPE_MISSING');
  if (access.some(({ roles }) => roles !== undefined)) add('ROLE_MISSING');
  if (access.some(({ operator }) => operator)) add('OPERATOR_REQUIRED');
  if (declared.account !== undefined) add('ACCOUNT_NOT_FOUND');
  if (declared.found !== undefined || declared.refusal !== undefined) add('NOT_FOUND');
  if (declared.refusal !== undefined) add('REFUSED', CONFLICT);
  if (declared.health) add('NOT_READY');
  if (declared.stripe) {
    for (const code of ['SIGNATURE_INVALID', 'BODY_INVALID', 'BODY_TOO_LARGE', 'TRY_AGAIN']) add(code);
  }
  if (variants.some(({ declared: { when } }) => when)) add('ACTION_UNKNOWN');
  // Each address and account stands before a guard or a limit, and each parameter is checked.
  if (calls.length > 0 || declared.counted) for (const code of ['RATE_LIMITED', 'TRY_AGAIN']) add(code);
  add('REQUEST_INVALID');
  for (const { document } of calls) {
    // The same id of a command with another content.
    if (document.commands.length > 0) add('COMMAND_ID_REUSED', CONFLICT);
    for (const [type, code] of REFUSALS) {
      if (document.refusals.has(type) && !codes.has(code)) add(code, STATUSES[type] ?? CONFLICT);
    }
    if (document.shape.metering === 'governed') add('QUOTA_EXCEEDED');
  }
  return codes;
}

/** What stands in a document for each kind of refusal. */
const REFUSALS = [
  ['NotFound', 'NOT_FOUND'],
  ['PlanRequired', 'PLAN_REQUIRED'],
  ['SignInRefused', 'SIGN_IN_REFUSED'],
  ['PaymentRequired', 'PAYMENT_FAILED'],
  ['NotAllowed', 'NOT_ALLOWED'],
  ['Conflict', 'CONFLICT'],
] as const;

function parametersOf(variants: readonly CompiledRoute[]): Parameter[] {
  const all = new Map<string, Parameter>();
  const choices = new Map<string, string[]>();
  for (const { declared, calls } of variants) {
    if (calls.some(({ document }) => document.commands.length > 0)) {
      const name = 'idempotency-key';
      all.set(`header ${name}`, {
        name: 'Idempotency-Key',
        in: 'header',
        required: false,
        schema: COMMAND_ID,
      });
    }
    for (const [, name = ''] of declared.route.matchAll(/\{(\w+)\}/g)) {
      all.set(`path ${name}`, { name, in: 'path', required: true, schema: { type: 'string' } });
    }
    for (const [where, parameters] of [
      ['query', declared.query],
      ['header', declared.headers],
    ] as const) {
      for (const [name, { required, ...schema }] of Object.entries(parameters)) {
        all.set(`${where} ${name}`, { name, in: where, required: required === true, schema });
      }
    }
    for (const [name, value] of Object.entries(declared.when ?? {})) {
      choices.set(name, [...(choices.get(name) ?? []), value]);
    }
  }
  for (const [name, values] of choices) {
    const required = variants.every(({ declared: { when } }) => when !== undefined);
    all.set(`query ${name}`, { name, in: 'query', required, schema: { type: 'string', enum: values } });
  }
  return [...all.values()];
}

/** A route of ours: what has no `spec` says what it is for, and no more. */
function ownOperation(route: Route): Operation {
  const { method, path, summary, access, problems, dialect, spec, metering, demo = false } = route;
  const failure: Content = problems
    ? { [PROBLEM]: { schema: PROBLEM_SCHEMA } }
    : { 'application/json': { schema: dialect ? schemaOf(dialect.failure, 'output') : ERRORS } };
  const open = route.caller !== undefined || (typeof access !== 'function' && access.anyone === true);
  const [body, type] = spec?.form
    ? ([spec.form, 'multipart/form-data'] as const)
    : ([spec?.body, 'application/json'] as const);
  const parameter = (name: string, where: Parameter['in'], schema: JsonSchema): Parameter => ({
    name,
    in: where,
    required: where === 'path',
    schema,
  });
  const query = Object.entries(spec?.query ?? {});
  return {
    operationId: operationIdOf(method, path),
    summary: spec?.summary ?? summary ?? `${method} ${path}`,
    parameters: [
      ...[...path.matchAll(/:(\w+)/g)].map(([, name = '']) => parameter(name, 'path', { type: 'string' })),
      ...query.map(([name, description]) => parameter(name, 'query', { type: 'string', description })),
      ...(spec?.body && metering === 'service' ? [parameter('Idempotency-Key', 'header', COMMAND_ID)] : []),
    ],
    ...(body && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: { [type]: { schema: schemaOf(body, 'input') } },
      },
    }),
    ...(spec?.file === true && {
      requestBody: { required: true, content: { 'application/octet-stream': { schema: FILE } } },
    }),
    responses: {
      '200': {
        description: 'The answer.',
        ...(spec && { content: answerOf(spec) }),
      },
      ...Object.fromEntries(
        Object.entries(spec?.others ?? {}).map(([status, body]) => [
          status,
          {
            description: 'Another answer.',
            content: { 'application/json': { schema: schemaOf(body, 'output') } },
          },
        ]),
      ),
      default: { description: 'A failure.', content: failure },
    },
    security: open
      ? [{}]
      : [
          ...(demo ? [{}] : []),
          ...Object.values(SCHEMES).map((scheme) => ({ [Object.keys(scheme)[0] as string]: [] })),
        ],
  };
}

const answerOf = ({ answer, text }: RouteSpec): Content => ({
  ...(answer && { 'application/json': { schema: schemaOf(answer, 'output') } }),
  ...(text !== undefined && { [text]: { schema: { type: 'string' } } }),
});

/** What a schema cannot say, e.g. that a text is a time, is left open. */
function schemaOf(type: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' });
  return schema;
}

const COMMAND_ID: JsonSchema = {
  type: 'string',
  description: 'The id of the command, 1 to 128 bytes. Sent again, it changes nothing and answers as before.',
};

const FILE: JsonSchema = { type: 'string', contentMediaType: 'application/octet-stream' };

/** RFC 9457. */
const PROBLEM_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
  },
};

const ERRORS: JsonSchema = {
  type: 'object',
  required: ['errors'],
  properties: {
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['message', 'extensions'],
        properties: {
          message: { type: 'string' },
          extensions: { type: 'object', required: ['code'], properties: { code: { type: 'string' } } },
        },
      },
    },
  },
};

const HEALTH: Operation = {
  operationId: 'getV1Health',
  summary: 'Whether this process is ready, and how far behind its read models are.',
  responses: {
    '200': { description: 'Ready.', content: { 'application/json': { schema: { type: 'object' } } } },
    '503': { description: 'Not ready.', content: { 'application/json': { schema: { type: 'object' } } } },
  },
  security: [{}],
};
