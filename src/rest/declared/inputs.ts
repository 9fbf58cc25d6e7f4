import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonSchema, Known } from './known.js';
import { knownOf, object } from './known.js';

/** What is wrong with a request, as FastAPI says it. */
export interface Issue {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

/** The parts of a request that a route reads. */
export interface Parts {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly header: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

export interface Inputs {
  /** Their names, for templates. */
  readonly known: Readonly<Record<keyof Parts, Known>>;
  /** The values that were asked for, with defaults; or why they can't be used. */
  check(request: Parts): Parts | readonly Issue[];
}

export interface InputSchemas {
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, JsonSchema>>;
  readonly headers: Readonly<Record<string, JsonSchema>>;
  readonly body?: JsonSchema | undefined;
}

const MAX_PATH = 200;
const MAX_ISSUES = 20;

// A text of the address becomes what its schema says; a body says itself what it is.
const texts = new Ajv2020({ allErrors: true, coerceTypes: true, useDefaults: true, strict: true });
const bodies = new Ajv2020({ allErrors: true, useDefaults: true, strict: true });

/** @throws Error for what is no JSON Schema */
export function compileInputs({ path, query, headers, body }: InputSchemas): Inputs {
  const paths = Object.fromEntries(
    path.map((name) => [name, { type: 'string', minLength: 1, maxLength: MAX_PATH }]),
  );
  const parts = {
    path: compile('path', paths, path),
    query: compile('query', ...withoutRequired(query)),
    header: compile('header', ...withoutRequired(headers)),
  };
  // A body with a default may be left out.
  const { default: otherwise, ...bodySchema } = body ?? {};
  const checkBody = body && bodies.compile(bodySchema);
  return {
    known: {
      path: parts.path.known,
      query: parts.query.known,
      header: parts.header.known,
      body: body ? knownOf(body) : object({}),
    },
    check: (request) => {
      const path = parts.path.check(request.path);
      const query = parts.query.check(request.query);
      const header = parts.header.check(request.header);
      const given = request.body ?? otherwise;
      const body =
        checkBody === undefined
          ? { value: {}, issues: [] }
          : given === undefined
            ? { value: {}, issues: [{ loc: ['body'], msg: 'Field required', type: 'missing' }] }
            : checked('body', checkBody, structuredClone(given));
      const issues = [...path.issues, ...query.issues, ...header.issues, ...body.issues];
      if (issues.length > 0) return issues.slice(0, MAX_ISSUES);
      return { path: path.value, query: query.value, header: header.value, body: body.value };
    },
  };
}

/** `required: true` stands beside a parameter's schema, as in OpenAPI. */
function withoutRequired(
  parameters: Readonly<Record<string, JsonSchema>>,
): [Record<string, JsonSchema>, readonly string[]] {
  const schemas: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [name, { required: needed, ...schema }] of Object.entries(parameters)) {
    schemas[name] = schema;
    if (needed === true) required.push(name);
  }
  return [schemas, required];
}

interface Checked<T> {
  readonly value: T;
  readonly issues: readonly Issue[];
}

function compile(
  where: string,
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
) {
  const names = Object.keys(properties);
  const schema = { type: 'object', properties, required };
  const check = texts.compile(schema);
  return {
    known: knownOf(schema),
    check: (given: Readonly<Record<string, unknown>>): Checked<Readonly<Record<string, unknown>>> => {
      const value: Record<string, unknown> = {};
      // What nobody asked for is left alone.
      for (const name of names) if (given[name] !== undefined) value[name] = given[name];
      return checked(where, check, value);
    },
  };
}

function checked<T>(where: string, check: ValidateFunction, value: T): Checked<T> {
  return check(value) ? { value, issues: [] } : { value, issues: (check.errors ?? []).map(issueOf(where)) };
}

/** Names and sentences of pydantic, which FastAPI's clients know. */
const issueOf =
  (where: string) =>
  ({ instancePath, keyword, params, message = '' }: ErrorObject): Issue => {
    const steps = instancePath
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    const loc = [where, ...steps];
    const { limit, missingProperty, allowedValues, type } = params as Readonly<Record<string, string>> & {
      readonly allowedValues?: readonly unknown[];
    };
    switch (keyword) {
      case 'required':
        return { loc: [...loc, missingProperty ?? ''], msg: 'Field required', type: 'missing' };
      case 'type':
        return { loc, ...typeIssue(type ?? '', where !== 'body') };
      case 'minimum':
        return { loc, msg: `Input should be greater than or equal to ${limit}`, type: 'greater_than_equal' };
      case 'maximum':
        return { loc, msg: `Input should be less than or equal to ${limit}`, type: 'less_than_equal' };
      case 'minLength':
        return { loc, msg: `String should have at least ${limit} characters`, type: 'string_too_short' };
      case 'maxLength':
        return { loc, msg: `String should have at most ${limit} characters`, type: 'string_too_long' };
      case 'enum':
        return { loc, msg: `Input should be ${(allowedValues ?? []).join(', ')}`, type: 'enum' };
      default:
        return { loc, msg: message, type: 'value_error' };
    }
  };

const NOUNS: Readonly<Record<string, readonly [type: string, noun: string]>> = {
  integer: ['int', 'integer'],
  number: ['float', 'number'],
  boolean: ['bool', 'boolean'],
  string: ['string', 'string'],
  array: ['list', 'list'],
  object: ['dict', 'dictionary'],
};

function typeIssue(type: string, isText: boolean): Pick<Issue, 'msg' | 'type'> {
  const [name, noun] = NOUNS[type] ?? ['value', type];
  if (!isText || type === 'string') return { msg: `Input should be a valid ${noun}`, type: `${name}_type` };
  const reason = type === 'integer' ? ', unable to parse string as an integer' : '';
  return { msg: `Input should be a valid ${noun}${reason}`, type: `${name}_parsing` };
}
