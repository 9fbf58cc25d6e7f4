import { readFileSync } from 'node:fs';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import type { ApiError } from '../errors.js';
import { invalid } from '../errors.js';

interface Definitions {
  /** The version of the SDK that they were read from. */
  readonly stripe: string;
  readonly routes: Readonly<Record<string, object>>;
  readonly $defs: object;
}

/** What each call takes, read from the SDK's own types (scripts/stripeParameters.mjs). */
export const DEFINITIONS = JSON.parse(
  readFileSync(new URL('../parameters.json', import.meta.url), 'utf8'),
) as Definitions;

/** Calls that Stripe's own pages and its CLI make, and the SDK lacks. */
export const UNPUBLISHED: Readonly<Record<string, object>> = {
  'GET /v1/payment_pages/*': { type: 'object', properties: {}, additionalProperties: false },
  'POST /v1/payment_pages/*/confirm': {
    type: 'object',
    properties: { payment_method: { type: 'string' }, expected_amount: { type: 'integer' } },
    required: ['payment_method'],
    additionalProperties: false,
  },
};

// Forms hold texts alone: what is a number is said by the types.
const ajv = new Ajv({
  coerceTypes: true,
  allErrors: true,
  allowUnionTypes: true,
  formats: { decimal: /^-?\d+(\.\d{1,12})?$/ },
  schemas: [{ $id: 'stripe', $defs: DEFINITIONS.$defs }],
});
const compiled = new Map<string, ValidateFunction>();

/**
 * Checks what a call was given against Stripe's own types and turns texts into numbers and booleans.
 * @param route e.g. `POST /v1/customers/*`
 * @throws ApiError as Stripe would refuse it
 */
export function checkParameters(route: string, given: Record<string, unknown>): Record<string, unknown> {
  let validate = compiled.get(route);
  if (!validate) {
    const schema = DEFINITIONS.routes[route] ?? UNPUBLISHED[route];
    if (!schema) throw new Error(`the SDK has no call ${route}`);
    const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"stripe#/$defs/');
    compiled.set(route, (validate = ajv.compile(JSON.parse(text) as object)));
  }
  if (!validate(given)) throw refused(validate.errors ?? [], given);
  return given;
}

const RANK: Readonly<Record<string, number>> = {
  additionalProperties: 0,
  required: 1,
  type: 2,
  format: 2,
  enum: 3,
};

/** The one error to tell of many: the unknown first, then the deepest. */
function refused(errors: readonly ErrorObject[], given: Record<string, unknown>): ApiError {
  const rank = ({ keyword }: ErrorObject): number => RANK[keyword] ?? 9;
  const depth = ({ instancePath }: ErrorObject): number => instancePath.split('/').length;
  const [first] = [...errors].sort((a, b) => depth(b) - depth(a) || rank(a) - rank(b));
  if (!first) throw new Error('ajv refused and gave no error');
  const { keyword, instancePath, params } = first;
  const path = instancePath.split('/').slice(1);
  if (keyword === 'additionalProperties') {
    const name = named([...path, params['additionalProperty'] as string]);
    return invalid(`Received unknown parameter: ${name}`, name, 'parameter_unknown');
  }
  if (keyword === 'required') {
    const name = named([...path, params['missingProperty'] as string]);
    return invalid(`Missing required param: ${name}.`, name, 'parameter_missing');
  }
  const name = named(path);
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], given);
  if (keyword === 'enum') {
    const allowed = (params['allowedValues'] as string[]).filter((one) => one !== '');
    const last = allowed.at(-1) ?? '';
    const list = allowed.length > 1 ? `one of ${allowed.slice(0, -1).join(', ')} or ${last}` : last;
    return invalid(`Invalid ${name}: must be ${list}`, name);
  }
  const type = keyword === 'type' ? String(params['type']) : 'decimal';
  const shown = typeof value === 'string' ? value.slice(0, 100) : 'an object';
  return invalid(
    type === 'string' ? `Invalid string: ${shown}` : `Invalid ${type}: ${shown}`,
    name,
    type === 'integer' ? 'parameter_invalid_integer' : undefined,
  );
}

/** `items[0][price]` */
const named = ([first = '', ...rest]: readonly string[]): string =>
  first + rest.map((key) => `[${key}]`).join('');
