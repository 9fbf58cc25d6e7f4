import type {
  DocumentNode,
  GraphQLOutputType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import {
  getNamedType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isInterfaceType,
  Kind,
  typeFromAST,
  TypeNameMetaFieldDef,
} from 'graphql';

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What is known of a value before there is one: which names it has, and what they are. */
export type Known = KnownObject | KnownList | KnownLeaf;

interface KnownObject {
  readonly kind: 'object';
  readonly nullable: boolean;
  readonly fields: ReadonlyMap<string, Known>;
}

interface KnownList {
  readonly kind: 'list';
  readonly nullable: boolean;
  readonly of: Known;
}

interface KnownLeaf {
  readonly kind: 'leaf';
  readonly nullable: boolean;
  readonly schema: JsonSchema;
}

export const leaf = (schema: JsonSchema, nullable = false): Known => ({ kind: 'leaf', nullable, schema });

export const object = (fields: Readonly<Record<string, Known>>, nullable = false): KnownObject => ({
  kind: 'object',
  nullable,
  fields: new Map(Object.entries(fields)),
});

export const TEXT = leaf({ type: 'string' }, true);
export const INTEGER = leaf({ type: 'integer' }, true);

/** What a request's part is that a JSON Schema describes. */
export function knownOf(schema: JsonSchema, required = true): Known {
  const nullable = !required && !('default' in schema);
  const { type, properties, items } = schema as {
    type?: unknown;
    properties?: Readonly<Record<string, JsonSchema>>;
    required?: readonly string[];
    items?: JsonSchema;
  };
  if (type === 'object' && properties) {
    const needed = (schema['required'] ?? []) as readonly string[];
    const fields = Object.entries(properties).map(
      ([name, property]) => [name, knownOf(property, needed.includes(name))] as const,
    );
    return { kind: 'object', nullable, fields: new Map(fields) };
  }
  if (type === 'array' && items) return { kind: 'list', nullable, of: knownOf(items) };
  return leaf(schema, nullable);
}

/** What an operation answers, as far as it asks for it. */
export function answerOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): KnownObject {
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const within = (
    { selections }: SelectionSetNode,
    parent: GraphQLOutputType,
    /** Whether another type than the parent's own may be answered. */
    partly: boolean,
    fields: Map<string, Known>,
  ): Map<string, Known> => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const { name, alias, selectionSet } = selection;
        const field =
          name.value === TypeNameMetaFieldDef.name
            ? TypeNameMetaFieldDef
            : isObjectType(parent) || isInterfaceType(parent)
              ? parent.getFields()[name.value]
              : undefined;
        if (!field) continue;
        const known = valueOf(field.type, selectionSet);
        const key = alias?.value ?? name.value;
        fields.set(key, partly ? { ...known, nullable: true } : known);
        continue;
      }
      const on = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      if (!on) continue;
      const type = on.typeCondition ? (typeFromAST(schema, on.typeCondition) as GraphQLOutputType) : parent;
      within(on.selectionSet, type, partly || type !== parent, fields);
    }
    return fields;
  };
  const valueOf = (type: GraphQLOutputType, selections: SelectionSetNode | undefined): Known => {
    if (isNonNullType(type)) return { ...valueOf(type.ofType, selections), nullable: false };
    if (isListType(type)) return { kind: 'list', nullable: true, of: valueOf(type.ofType, selections) };
    const named = getNamedType(type);
    if (isCompositeType(named) && selections) {
      return { kind: 'object', nullable: true, fields: within(selections, named, false, new Map()) };
    }
    if (isEnumType(named)) {
      return leaf({ type: 'string', enum: named.getValues().map(({ name }) => name) }, true);
    }
    return leaf(SCALARS[named.name] ?? {}, true);
  };
  const root = schema.getRootType(operation.operation);
  if (!root) throw new Error(`there is no ${operation.operation}`);
  return { kind: 'object', nullable: false, fields: within(operation.selectionSet, root, false, new Map()) };
}

/** How scalars stand in an answer. */
const SCALARS: Readonly<Record<string, JsonSchema>> = {
  ID: { type: 'string' },
  String: { type: 'string' },
  Int: { type: 'integer' },
  Float: { type: 'number' },
  Boolean: { type: 'boolean' },
  DateTime: { type: 'string', format: 'date-time' },
  Quantity: { type: 'string' },
};

/** @returns the schema of what is known, with null where it may be */
export function schemaOf(known: Known): JsonSchema {
  const schema = bareSchemaOf(known);
  return known.nullable ? nullable(schema) : schema;
}

function bareSchemaOf(known: Known): JsonSchema {
  if (known.kind === 'list') return { type: 'array', items: schemaOf(known.of) };
  if (known.kind === 'leaf') return known.schema;
  const properties = [...known.fields].map(([name, field]) => [name, schemaOf(field)] as const);
  return { type: 'object', properties: Object.fromEntries(properties) };
}

export function nullable(schema: JsonSchema): JsonSchema {
  const { type } = schema;
  if (type === undefined) return 'anyOf' in schema ? anyOf([schema, { type: 'null' }]) : schema;
  const types = [type].flat() as string[];
  if (types.includes('null')) return schema;
  const also = schema['enum'] === undefined ? {} : { enum: [...(schema['enum'] as unknown[]), null] };
  return { ...schema, ...also, type: [...types, 'null'] };
}

/** One of these, each said once. */
export function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  const flat = schemas.flatMap((schema) => (schema['anyOf'] as JsonSchema[] | undefined) ?? [schema]);
  const once = [...new Map(flat.map((schema) => [JSON.stringify(schema), schema])).values()];
  return once.length === 1 ? (once[0] as JsonSchema) : { anyOf: once };
}
