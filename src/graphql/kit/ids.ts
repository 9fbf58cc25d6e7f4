import { Extensions } from 'type-graphql';

/**
 * How ids begin that answers show, by the type of what they name. Facts, streams and tables have ids without:
 * what is shown is made and read here alone.
 */
const PREFIXES = {
  Account: 'acc',
  Analysis: 'ana',
  AuditEntry: 'aud',
  CreditGrant: 'crg',
  Invitation: 'inv',
  Invoice: 'in',
  Key: 'key',
  Pattern: 'pat',
  PlanSubscription: 'sub',
  RuleSet: 'rul',
  User: 'usr',
  WebhookEndpoint: 'whe',
} as const satisfies Record<string, string>;

/** A type whose objects have ids. */
export type IdType = keyof typeof PREFIXES;

/** What the payment service names: those ids begin with their prefix as they are, and facts have them whole. */
const NAMED_THERE: ReadonlySet<IdType> = new Set(['Invoice', 'PlanSubscription']);

const TYPES: ReadonlyMap<string, IdType> = new Map(
  Object.entries(PREFIXES).map(([type, prefix]) => [prefix, type as IdType]),
);

export const isIdType = (name: string): name is IdType => Object.hasOwn(PREFIXES, name);

/** An id as answers show it, e.g. `key_3b1f…`. */
export const shownId = (type: IdType, id: string): string =>
  NAMED_THERE.has(type) ? id : `${PREFIXES[type]}_${id}`;

/** An id as facts have it. What was given before ids had prefixes is one already. */
export function givenId(type: IdType, given: string): string {
  const prefix = `${PREFIXES[type]}_`;
  return given.startsWith(prefix) && !NAMED_THERE.has(type) ? given.slice(prefix.length) : given;
}

/** What an id names, by its prefix; undefined for what is no id of ours. */
export function parseId(shown: string): { readonly type: IdType; readonly id: string } | undefined {
  const end = shown.indexOf('_');
  const type = TYPES.get(shown.slice(0, Math.max(0, end)));
  return type && { type, id: NAMED_THERE.has(type) ? shown : shown.slice(end + 1) };
}

export const ID_OF = 'idOf';

/**
 * Declares whose id a field holds: of an answer it is then shown with its prefix, of an input it is taken with
 * and without. The `id` of what implements `Node` needs no word.
 */
export const IdOf = (type: IdType): PropertyDecorator & MethodDecorator => Extensions({ [ID_OF]: type });
