import type {
  GraphQLArgument,
  GraphQLField,
  GraphQLInputType,
  GraphQLObjectType,
  GraphQLSchema,
} from 'graphql';
import {
  getNamedType,
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLInt,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';

/** A text that is good for a field or a type of that name, where another text is the hostile one. */
export type Sound = (name: string, type: string) => string;

/** A place of the schema where a client sends a text. */
export interface Place {
  readonly name: string;
  /** An operation with a text in this place, and elsewhere what is needed. */
  readonly operation: (text: string, sound: Sound) => { readonly query: string; readonly variables: object };
}

interface Step {
  readonly parent: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
}
/** From an argument down to a text: names of fields. */
type Path = readonly string[];

const NO_TEXTS: ReadonlySet<unknown> = new Set([GraphQLInt, GraphQLFloat, GraphQLBoolean]);

/** Every place of every mutation, and of every field that a query reaches, shortest way first. */
export function placesOf(schema: GraphQLSchema): Place[] {
  const mutations = fieldsOf(schema.getMutationType());
  return [...mutations.map((step) => [step]), ...reached(schema)].flatMap((steps) => {
    const { field } = steps.at(-1) as Step;
    return field.args.flatMap((argument) =>
      pathsOf(argument.type, 4).map((path) => placeOf(schema, steps, argument, path)),
    );
  });
}

const fieldsOf = (parent: GraphQLObjectType | null | undefined): Step[] =>
  parent ? Object.values(parent.getFields()).map((field) => ({ parent, field })) : [];

/** The ways to all fields that a query reaches. */
function reached(schema: GraphQLSchema): Step[][] {
  const known = new Set([schema.getQueryType()]);
  const ways = fieldsOf(schema.getQueryType()).map((step) => [step]);
  // A way through an interface leads to one of its types alone: it is gone where there is no other.
  for (const abstract of [false, true]) {
    // Grows while it is gone through.
    for (const way of ways) {
      const type = getNamedType((way.at(-1) as Step).field.type);
      if (isAbstractType(type) && !abstract) continue;
      for (const next of isAbstractType(type) ? schema.getPossibleTypes(type) : [type]) {
        if (!isObjectType(next) || known.has(next)) continue;
        known.add(next);
        ways.push(...fieldsOf(next).map((step) => [...way, step]));
      }
    }
  }
  return ways;
}

function pathsOf(type: GraphQLInputType, depth: number): Path[] {
  const named = getNamedType(type);
  if (isInputObjectType(named)) {
    if (depth === 0) return [];
    return Object.values(named.getFields()).flatMap((field) =>
      pathsOf(field.type, depth - 1).map((path) => [field.name, ...path]),
    );
  }
  return isEnumType(named) || NO_TEXTS.has(named) ? [] : [[]];
}

function placeOf(schema: GraphQLSchema, steps: readonly Step[], given: GraphQLArgument, path: Path): Place {
  const [{ parent: root }, last] = [steps[0] as Step, steps.at(-1) as Step];
  return {
    name: [...steps.map(({ field }) => field.name), given.name, ...path].join('.'),
    operation: (text, sound) => {
      const [declared, variables]: [string[], Record<string, unknown>] = [[], {}];
      const selection = steps.reduceRight((inner, { parent, field }, depth) => {
        const args = field.args.filter((argument) => isRequiredArgument(argument) || argument === given);
        const passed = args.map((argument) => {
          const variable = `${argument.name}${depth}`;
          declared.push(`$${variable}: ${String(argument.type)}`);
          variables[variable] = valueOf(argument.type, argument.name, sound, {
            text,
            path: argument === given ? path : undefined,
          });
          return `${argument.name}: $${variable}`;
        });
        const call = `${field.name}${passed.length > 0 ? `(${passed.join(', ')})` : ''} ${inner}`;
        return parent === root ? `{ ${call} }` : `{ ... on ${parent.name} { ${call} } }`;
      }, endOf(last));
      const kind = root === schema.getMutationType() ? 'mutation' : 'query';
      return { query: `${kind}(${declared.join(', ')}) ${selection}`, variables };
    },
  };
}

const endOf = ({ field }: Step): string =>
  isCompositeType(getNamedType(field.type)) ? '{ __typename }' : '';

/** @param at where the hostile text goes; undefined where it does not go into this value */
function valueOf(
  type: GraphQLInputType,
  name: string,
  sound: Sound,
  at: { readonly text: string; readonly path: Path | undefined },
): unknown {
  if (isNonNullType(type)) return valueOf(type.ofType, name, sound, at);
  if (isListType(type)) return [valueOf(type.ofType, name, sound, at)];
  const { text, path } = at;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      // Of a caller without a secret nothing is recorded by its labels.
      (field) => isRequiredInputField(field) || field.name === 'secret' || field.name === path?.[0],
    );
    return Object.fromEntries(
      fields.map((field) => {
        const within = field.name === path?.[0] ? path.slice(1) : undefined;
        return [field.name, valueOf(field.type, field.name, sound, { text, path: within })];
      }),
    );
  }
  if (path) return text;
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (type === GraphQLBoolean) return true;
  return NO_TEXTS.has(type) ? 1 : sound(name, type.name);
}
