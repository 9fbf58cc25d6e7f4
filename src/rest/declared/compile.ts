import type { GraphQLSchema } from 'graphql';
import { ConfigError } from '../../config.js';
import type { AccessRule } from '../../graphql/kit/access.js';
import type { YamlFile } from '../../yamlFile.js';
import type { RouteDocument } from './document.js';
import { readDocument } from './document.js';
import type { FailureTexts } from './failures.js';
import { compileFailures } from './failures.js';
import type { DeclaredRoute, RoutesFile } from './file.js';
import type { Inputs } from './inputs.js';
import { compileInputs } from './inputs.js';
import type { Known } from './known.js';
import { leaf, object, TEXT } from './known.js';
import type { Names, Template } from './template.js';
import { compileTemplate, TemplateError } from './template.js';

/** One operation of a route. */
export interface RouteCall {
  /** Undefined where it is the route's only one. */
  readonly name: string | undefined;
  readonly document: RouteDocument;
  readonly variables: ReadonlyMap<string, Template>;
  /** A credential of an earlier answer. */
  readonly as: Template | undefined;
  /** Whether it is asked. */
  readonly if: Template | undefined;
}

/** A route that can work. */
export interface CompiledRoute {
  readonly declared: DeclaredRoute;
  readonly method: string;
  /** With `:name` for parameters. */
  readonly path: string;
  readonly inputs: Inputs;
  readonly calls: readonly RouteCall[];
  /** Who may call it: what its documents say, the caller's own credential. */
  readonly access: readonly AccessRule[];
  readonly account: Template | undefined;
  readonly found: Template | undefined;
  readonly refusal: Template | undefined;
  readonly answer: Template;
  readonly redirect: Template | undefined;
  readonly failures: FailureTexts;
}

export interface CompiledRoutes {
  readonly file: RoutesFile;
  readonly routes: readonly CompiledRoute[];
  /** Of what is no route. */
  readonly failures: FailureTexts;
}

/** What every template may name. */
export const COMMON: Names = {
  product: object({
    name: leaf({ type: 'string' }),
    version: leaf({ type: 'string' }),
    /** Each as `GET /path`. */
    routes: { kind: 'list', nullable: false, of: leaf({ type: 'string' }) },
  }),
  /** The caller's plan and account; null for nobody's call. */
  plan: TEXT,
  account: TEXT,
  time: leaf({ type: 'string', format: 'date-time' }),
  healthy: leaf({ type: 'boolean' }),
  /** Seconds since the process began. */
  uptime: leaf({ type: 'integer' }),
  /** Of this request, and of no other. */
  requestId: leaf({ type: 'string' }),
};

const COUNTED: readonly AccessRule[] = [{ scope: 'read' }];

/** @throws ConfigError that names every route that can't work, by its line */
export function compileRoutes(schema: GraphQLSchema, file: RoutesFile, source: YamlFile): CompiledRoutes {
  const problems: string[] = [];
  const attempt = <T>(path: readonly PropertyKey[], work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      const at = error instanceof TemplateError ? error.path : path;
      problems.push(`${source.place(at)}: ${at.join('.')}: ${(error as Error).message}`);
      return undefined;
    }
  };
  const general = { failures: file.failures.codes, path: ['failures', 'codes'] };
  const body = { template: file.failures.body, path: ['failures', 'body'] };
  const failures = attempt(['failures'], () => compileFailures(body, [general], object({})));
  const routes = file.routes.flatMap((declared, index) => {
    const path = ['routes', index];
    const route = attempt(path, () => compileRoute(schema, declared, path, body, general));
    return route ? [route] : [];
  });
  const seen = new Set<string>();
  for (const [index, { route, when = {} }] of file.routes.entries()) {
    const key = JSON.stringify([route.replace(/\{\w+\}/g, '{}'), when]);
    if (seen.has(key)) problems.push(`${source.place(['routes', index])}: there is a ${route} already`);
    seen.add(key);
  }
  if (problems.length > 0 || !failures) throw new ConfigError(problems);
  return { file, routes, failures };
}

function compileRoute(
  schema: GraphQLSchema,
  declared: DeclaredRoute,
  path: readonly PropertyKey[],
  body: { readonly template: unknown; readonly path: readonly PropertyKey[] },
  general: Parameters<typeof compileFailures>[1][number],
): CompiledRoute {
  const [method = '', address = ''] = declared.route.split(' ');
  const parameters = [...address.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const inputs = compileInputs({ ...declared, path: parameters });
  if (declared.document !== undefined && declared.calls) {
    throw new TemplateError([...path, 'calls'], 'either "document" or "calls"');
  }
  if (declared.stripe && (method !== 'POST' || declared.document !== undefined || declared.calls)) {
    throw new TemplateError([...path, 'stripe'], 'a POST without "document" and "calls"');
  }
  const stated =
    declared.calls ??
    (declared.document === undefined
      ? []
      : [{ name: undefined, document: declared.document, variables: declared.variables ?? {} }]);
  const given: Names = { ...COMMON, ...inputs.known };
  const answers = new Map<string, Known>();
  let names: Names = given;
  const calls = stated.map((call, index): RouteCall => {
    const at = declared.calls ? [...path, 'calls', index] : path;
    let document: RouteDocument;
    try {
      document = readDocument(schema, call.document);
    } catch (error) {
      throw new TemplateError([...at, 'document'], (error as Error).message);
    }
    const variables = new Map<string, Template>();
    for (const [name, template] of Object.entries(call.variables)) {
      const place = [...at, 'variables', name];
      if (!document.variables.has(name)) throw new TemplateError(place, `the document has no $${name}`);
      variables.set(name, compileTemplate(template, names, place));
    }
    for (const [name, needed] of document.variables) {
      if (needed && !variables.has(name)) throw new TemplateError(at, `the document needs $${name}`);
    }
    const part = (word: 'as' | 'if'): Template | undefined => {
      const template = (call as Partial<Record<typeof word, unknown>>)[word];
      return template === undefined ? undefined : compileTemplate(template, names, [...at, word]);
    };
    const [as, asked] = [part('as'), part('if')];
    if (call.name === undefined) {
      names = { ...given, data: document.answer };
    } else {
      const leftOut = as !== undefined || asked !== undefined;
      answers.set(call.name, leftOut ? { ...document.answer, nullable: true } : document.answer);
      names = { ...given, data: object(Object.fromEntries(answers)) };
    }
    return { name: call.name, document, variables, as, if: asked };
  });
  const failureBody =
    'failureBody' in declared ? { template: declared.failureBody, path: [...path, 'failureBody'] } : body;
  return {
    declared,
    method,
    path: address.replace(/\{(\w+)\}/g, ':$1'),
    inputs,
    calls,
    access: declared.counted ? COUNTED : calls.flatMap(({ as, document }) => (as ? [] : document.access)),
    account: optional(declared.account, given, [...path, 'account']),
    found: optional(declared.found, names, [...path, 'found']),
    refusal: optional(declared.refusal, names, [...path, 'refusal']),
    answer: compileTemplate(declared.answer, names, [...path, 'answer']),
    redirect: optional(declared.redirect, names, [...path, 'redirect']),
    failures: compileFailures(
      failureBody,
      [general, { failures: declared.failures, path: [...path, 'failures'] }],
      refusalKnown(calls),
      inputs.known,
    ),
  };
}

/** The path of a route that a key may ask as it stands, with the scope read; undefined where there is none. */
export const exampleOf = ({ routes }: CompiledRoutes): string | undefined =>
  routes.find(
    ({ declared: { when, query }, method, path, calls, access }) =>
      method === 'GET' &&
      when === undefined &&
      !path.includes(':') &&
      !Object.values(query).some(({ required }) => required === true) &&
      calls.length > 0 &&
      access.every(({ scope, operator }) => scope === 'read' && operator !== true),
  )?.path;

const optional = (template: unknown, names: Names, path: readonly PropertyKey[]) =>
  template === undefined ? undefined : compileTemplate(template, names, path);

/** What documents ask of refusals: any of it may be missing. */
function refusalKnown(calls: readonly RouteCall[]): Known {
  const fields: Record<string, Known> = {};
  for (const { document } of calls) {
    if (document.answer.kind !== 'object' || document.refusals.size === 0) continue;
    for (const root of document.answer.fields.values()) {
      if (root.kind !== 'object') continue;
      for (const [name, known] of root.fields) fields[name] = { ...known, nullable: true };
    }
  }
  return object(fields);
}
