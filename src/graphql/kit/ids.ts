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
  Reservation: 'res',
  RuleSet: 'rul',
  User: 'usr',
  WebhookEndpoint: 'whe',
} as const satisfies Record<string, string>;

/** A type whose objects have ids. */
export type IdType = keyof typeof PREFIXES;

/** What the payment service names, and reservations, whose ids are those of uses: facts have the prefix, too. */
const WHOLE: ReadonlySet<IdType> = new Set(['Invoice', 'PlanSubscription', 'Reservation']);

const TYPES: ReadonlyMap<string, IdType> = new Map(
  Object.entries(PREFIXES).map(([type, prefix]) => [prefix, type as IdType]),
);

export const isIdType = (name: string): name is IdType => Object.hasOwn(PREFIXES, name);

/** An id as answers show it, e.g. `key_3b1f…`. */
export const shownId = (type: IdType, id: string): string =>
  WHOLE.has(type) ? id : `${PREFIXES[type]}_${id}`;

/** An id as facts have it. What was given before ids had prefixes is one already. */
export function givenId(type: IdType, given: string): string {
  const prefix = `${PREFIXES[type]}_`;
  return given.startsWith(prefix) && !WHOLE.has(type) ? given.slice(prefix.length) : given;
}

/** What an id names, by its prefix; undefined for what is no id of ours. */
export function parseId(shown: string): { readonly type: IdType; readonly id: string } | undefined {
  const end = shown.indexOf('_');
  const type = TYPES.get(shown.slice(0, Math.max(0, end)));
  return type && { type, id: WHOLE.has(type) ? shown : shown.slice(end + 1) };
}

export const ID_OF = 'idOf';

/**
 * Declares whose id a field holds: of an answer it is then shown with its prefix, of an input it is taken with
 * and without. The `id` of what implements `Node` needs no word.
 */
export const IdOf = (type: IdType): PropertyDecorator & MethodDecorator => Extensions({ [ID_OF]: type });
