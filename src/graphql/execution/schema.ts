import { printSchemaWithDirectives } from '@graphql-tools/utils';
import type { GraphQLSchema } from 'graphql';
import { defaultFieldResolver, isAbstractType, isObjectType, specifiedDirectives } from 'graphql';
import type { NonEmptyArray, PubSub } from 'type-graphql';
import { buildSchemaSync } from 'type-graphql';
import { ACCESS_DIRECTIVE, accessRuleOf, refusedIn } from '../kit/access.js';
import { ApiError } from '../kit/errors.js';
import { COST_DIRECTIVES } from '../cost/directives.js';
import { RESOLVERS } from '../../capabilities.js';
import type { ResolverClass } from '../../capability.js';
import type { Standing } from '../kit/standing.js';
import { NodeResolver } from '../kit/node.js';
import { describeRoots } from './descriptions.js';

/** type-graphql asks for one; subscriptions here name what they follow themselves, and no topics. */
const NO_TOPICS: PubSub = {
  publish: () => undefined,
  subscribe: (topic) => {
    throw new Error(`there is no topic "${topic}"`);
  },
};

/**
 * The schema. Instances of the resolvers come from the composition root.
 * @param instances none of them is needed to print the schema
 * @param classes of the resolvers; all by default
 */
export function createSchema(
  instances: readonly object[] = [],
  classes: readonly ResolverClass[] = RESOLVERS,
): GraphQLSchema {
  const resolvers = [...classes, NodeResolver] as unknown as NonEmptyArray<ResolverClass>;
  const byClass = new Map<ResolverClass, object>(
    instances.map((instance) => [instance.constructor, instance]),
  );
  const schema = buildSchemaSync({
    resolvers,
    container: { get: (resolver: ResolverClass) => byClass.get(resolver) },
    // Inputs are checked where they are used: a failure there is a typed answer.
    validate: false,
    pubSub: NO_TOPICS,
    directives: [...specifiedDirectives, ...COST_DIRECTIVES, ACCESS_DIRECTIVE],
  });
  // Members are told apart by their class, which has the type's name. type-graphql's own function is
  // asynchronous, and graphql-jit needs an answer at once.
  for (const type of Object.values(schema.getTypeMap())) {
    if (isAbstractType(type)) type.resolveType = (value: object) => value.constructor.name;
  }
  judgeBelowRoots(schema);
  describeRoots(schema);
  return schema;
}

/**
 * Has every field that says who may ask for it, and does not stand at the root, ask what the caller may do
 * with the very object that it belongs to: which account that is is known nowhere earlier.
 */
function judgeBelowRoots(schema: GraphQLSchema): void {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || roots.includes(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const rule = accessRuleOf(field);
      if (!rule) continue;
      const { resolve = defaultFieldResolver } = field;
      field.resolve = (parent: { readonly standing?: Standing }, ...call) => {
        const refused = refusedIn(parent.standing, rule);
        if (refused) throw new ApiError(refused);
        return resolve(parent, ...call);
      };
    }
  }
}

/**
 * Has mutations wait for `shown`, before anything below them is asked for and before they are answered.
 * @param except fields that do not wait
 */
export function showMutations(
  schema: GraphQLSchema,
  shown: () => Promise<void>,
  except: ReadonlySet<string>,
): void {
  const fields = schema.getMutationType()?.getFields() ?? {};
  for (const name of except) if (!fields[name]) throw new Error(`there is no mutation "${name}"`);
  for (const field of Object.values(fields)) {
    if (except.has(field.name)) continue;
    const { resolve = defaultFieldResolver } = field;
    field.resolve = async (...call) => {
      const payload: unknown = await resolve(...call);
      await shown();
      return payload;
    };
  }
}

/**
 * The published contract with its prices: graphql-js' own printer leaves out what directives say. What has a
 * description is set apart, as that printer does.
 */
export function sdlOf(schema: GraphQLSchema): string {
  const spaced: string[] = [];
  let within = false;
  for (const line of printSchemaWithDirectives(schema).split('\n')) {
    const text = line.trim();
    const begins = !within && text.startsWith('"""');
    if (text === '"""') within = !within;
    if (begins && !/[({]$|^$/.test(spaced.at(-1) ?? '')) spaced.push('');
    spaced.push(line);
  }
  return spaced.join('\n');
}
