import type { GraphQLField, GraphQLInputType, GraphQLSchema } from 'graphql';
import { defaultFieldResolver, getNamedType, isInputObjectType, isObjectType } from 'graphql';
import { accessRuleOf, refusedIn } from '../kit/access.js';
import { ApiError } from '../kit/errors.js';
import type { IdType } from '../kit/ids.js';
import { givenId, ID_OF, isIdType, shownId } from '../kit/ids.js';
import type { Standing } from '../kit/standing.js';

/** What fields declare of themselves, done wherever their resolvers come from. */
export function applyFieldRules(schema: GraphQLSchema): void {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const isNode = type.getInterfaces().some(({ name }) => name === 'Node');
    for (const field of Object.values(type.getFields())) {
      const of = isNode && field.name === 'id' ? type.name : field.extensions[ID_OF];
      if (of !== undefined) showId(field, of);
      takeIds(field);
      if (!roots.includes(type)) judge(field);
    }
  }
}

/**
 * Has a field that says who may ask for it, and does not stand at the root, ask what the caller may do with
 * the very object that it belongs to: which account that is is known nowhere earlier.
 */
function judge(field: GraphQLField<unknown, unknown>): void {
  const rule = accessRuleOf(field);
  if (!rule) return;
  const { resolve = defaultFieldResolver } = field;
  field.resolve = (parent, ...call) => {
    const refused = refusedIn((parent as { readonly standing?: Standing }).standing, rule);
    if (refused) throw new ApiError(refused);
    return resolve(parent, ...call);
  };
}

/** Shows an id with its prefix. @throws Error for a type without one */
function showId(field: GraphQLField<unknown, unknown>, of: unknown): void {
  if (typeof of !== 'string' || !isIdType(of)) throw new Error(`ids of ${String(of)} have no prefix`);
  const { name } = field;
  field.resolve = (parent) => {
    const id = (parent as Readonly<Record<string, unknown>>)[name];
    return typeof id === 'string' ? shownId(of, id) : id;
  };
}

/** Has the inputs of a field give their ids as facts have them. */
function takeIds(field: GraphQLField<unknown, unknown>): void {
  const takers = field.args.flatMap(({ name, type }) => {
    const take = takerOf(type);
    return take ? [[name, take] as const] : [];
  });
  if (takers.length === 0) return;
  const { resolve = defaultFieldResolver } = field;
  field.resolve = (parent, args: Record<string, unknown>, ...call) => {
    const taken = { ...args };
    for (const [name, take] of takers) if (taken[name] != null) taken[name] = take(taken[name]);
    return resolve(parent, taken, ...call);
  };
}

type Take = (value: unknown) => unknown;

/** Of an input without ids, in whatever depth, there is none. */
function takerOf(given: GraphQLInputType, within: readonly string[] = []): Take | undefined {
  const type = getNamedType(given);
  if (!isInputObjectType(type) || within.includes(type.name)) return undefined;
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const of = field.extensions[ID_OF] as IdType | undefined;
    const take: Take | undefined = of
      ? (id) => givenId(of, id as string)
      : takerOf(field.type, [...within, type.name]);
    return take ? [[field.name, take] as const] : [];
  });
  if (fields.length === 0) return undefined;
  const take: Take = (value) => {
    if (Array.isArray(value)) return value.map(take);
    const taken = { ...(value as Record<string, unknown>) };
    for (const [name, of] of fields) {
      const inner = taken[name];
      if (inner != null) taken[name] = Array.isArray(inner) ? inner.map(of) : of(inner);
    }
    return taken;
  };
  return take;
}
