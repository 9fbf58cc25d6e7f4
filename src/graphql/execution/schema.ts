import { printSchemaWithDirectives } from '@graphql-tools/utils';
import type { GraphQLEnumType, GraphQLInputObjectType, GraphQLInputType } from 'graphql';
import {
  defaultFieldResolver,
  GraphQLDirective,
  GraphQLList,
  GraphQLNonNull,
  GraphQLSchema,
  isAbstractType,
  isInputObjectType,
  isListType,
  isNonNullType,
  specifiedDirectives,
} from 'graphql';
import type { NonEmptyArray, PubSub } from 'type-graphql';
import { buildSchemaSync } from 'type-graphql';
import { ACCESS_DIRECTIVE } from '../kit/access.js';
import { COST_DIRECTIVES } from '../cost/directives.js';
import { RESOLVERS } from '../../capabilities.js';
import type { ResolverClass } from '../../capability.js';
import { applyFieldRules } from './fieldRules.js';
import { METERED_DIRECTIVE } from '../kit/metering.js';
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
  const built = buildSchemaSync({
    resolvers,
    container: { get: (resolver: ResolverClass) => byClass.get(resolver) },
    // Inputs are checked where they are used: a failure there is a typed answer.
    validate: false,
    pubSub: NO_TOPICS,
    directives: [...specifiedDirectives],
  });
  const schema = withDirectives(built, [...COST_DIRECTIVES, ACCESS_DIRECTIVE, METERED_DIRECTIVE]);
  // Members are told apart by their class, which has the type's name. type-graphql's own function is
  // asynchronous, and graphql-jit needs an answer at once.
  for (const type of Object.values(schema.getTypeMap())) {
    if (isInputObjectType(type) && type.extensions['oneOf'] === true) oneOf(type);
    if (isAbstractType(type)) type.resolveType = (value: object) => value.constructor.name;
  }
  applyFieldRules(schema);
  describeRoots(schema);
  return schema;
}

/** Adds directives, whose arguments are of the enums that the schema has, where it has them. */
function withDirectives(schema: GraphQLSchema, directives: readonly GraphQLDirective[]): GraphQLSchema {
  const own = (type: GraphQLInputType): GraphQLInputType => {
    if (isNonNullType(type)) return new GraphQLNonNull(own(type.ofType) as GraphQLEnumType);
    if (isListType(type)) return new GraphQLList(own(type.ofType));
    return (schema.getType(type.name) as GraphQLInputType | undefined) ?? type;
  };
  const added = directives.map((directive) => {
    const config = directive.toConfig();
    const args = Object.entries(config.args).map(([name, arg]) => [name, { ...arg, type: own(arg.type) }]);
    return new GraphQLDirective({ ...config, args: Object.fromEntries(args) as typeof config.args });
  });
  const config = schema.toConfig();
  return new GraphQLSchema({ ...config, directives: [...config.directives, ...added] });
}

/** type-graphql does not know it: exactly one of the fields has to be given. */
function oneOf(type: GraphQLInputObjectType): void {
  type.isOneOf = true;
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
