import fc from 'fast-check';
import type {
  GraphQLArgument,
  GraphQLField,
  GraphQLInputType,
  GraphQLNamedOutputType,
  GraphQLSchema,
} from 'graphql';
import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

export interface RandomQuery {
  readonly text: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface Extras {
  /** Whether fields and fragments carry @skip and @include. */
  readonly conditions: boolean;
}

type Gen = fc.GeneratorValue;
const MAX_DEPTH = 5;

/**
 * Operations over a schema, type by type: any selection, with arguments, variables, aliases, inline and named
 * fragments. Most are valid; those whose fields cannot be merged are not.
 */
export function randomQuery(schema: GraphQLSchema, extras: Extras): fc.Arbitrary<RandomQuery> {
  return fc.gen().map((g) => new Writer(schema, g, extras).write());
}

class Writer {
  readonly #variables: string[] = [];
  readonly #values: Record<string, unknown> = {};
  readonly #fragments: string[] = [];
  #aliases = 0;
  /** Selections that may still be written: a query must stay small enough to be tried often. */
  #budget = 60;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly g: Gen,
    private readonly extras: Extras,
  ) {}

  write(): RandomQuery {
    const root = this.#chance(20) ? this.schema.getMutationType() : this.schema.getQueryType();
    if (!root) throw new Error('the schema has no such root');
    const body = this.#selection(root, 0);
    const head = this.#variables.length > 0 ? `(${this.#variables.join(', ')})` : '';
    const text = `${root.name.toLowerCase()} Random${head} ${body}\n${this.#fragments.join('\n')}`;
    return { text, variables: this.#values };
  }

  #selection(type: GraphQLNamedOutputType, depth: number): string {
    if (--this.#budget < 0) return '{ __typename }';
    const parts: string[] = [];
    const count = this.g(fc.integer, { min: 1, max: depth === 0 ? 3 : 4 });
    for (let i = 0; i < count; i++) parts.push(this.#part(type, depth));
    return `{ ${parts.join(' ')} }`;
  }

  #part(type: GraphQLNamedOutputType, depth: number): string {
    if (isAbstractType(type)) {
      const members = this.schema.getPossibleTypes(type);
      // Interfaces that members implement can be asked for, too.
      const asked = this.#chance(15)
        ? (members.flatMap((member) => member.getInterfaces())[0] ?? type)
        : this.#one(members);
      return this.#chance(15) ? '__typename' : this.#inFragment(asked, depth);
    }
    if (this.#chance(12) && depth < MAX_DEPTH) return this.#inFragment(type, depth);
    if (this.#chance(8) || !isObjectType(type)) return `${this.#alias()}__typename${this.#condition()}`;
    const fields = Object.values(type.getFields()).filter(
      (field) => depth < MAX_DEPTH || !isCompositeType(getNamedType(field.type)),
    );
    return fields.length === 0 ? '__typename' : this.#field(this.#one(fields), depth);
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const args = field.args.flatMap((arg) => {
      const required = isNonNullType(arg.type) && arg.defaultValue === undefined;
      return required || this.#chance(50) ? [`${arg.name}: ${this.#argument(arg)}`] : [];
    });
    const alias = field.args.length > 0 || this.#chance(20) ? `a${this.#aliases++}: ` : '';
    const call = `${alias}${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''}${this.#condition()}`;
    const type = getNamedType(field.type);
    return isCompositeType(type) ? `${call} ${this.#selection(type, depth + 1)}` : call;
  }

  #inFragment(type: GraphQLNamedOutputType, depth: number): string {
    const fields = 'getFields' in type && !isObjectType(type) ? '{ __typename code message }' : undefined;
    const body = fields ?? this.#selection(type, depth);
    if (this.#chance(50)) return `... on ${type.name}${this.#condition()} ${body}`;
    const name = `F${this.#fragments.length}`;
    this.#fragments.push(`fragment ${name} on ${type.name} ${body}`);
    const spread = `...${name}${this.#condition()}`;
    return this.#chance(30) ? `${spread} ...${name}${this.#condition()}` : spread;
  }

  #argument(arg: GraphQLArgument): string {
    if (!this.#chance(50)) return literal(this.#input(arg.type), arg.type);
    const name = `v${this.#variables.length}`;
    // Where the argument has a default, a nullable variable may stand for it.
    const type =
      isNonNullType(arg.type) && arg.defaultValue !== undefined && this.#chance(50)
        ? arg.type.ofType
        : arg.type;
    this.#variables.push(`$${name}: ${String(type)}`);
    if (isNonNullType(type) || this.#chance(75)) this.#values[name] = this.#input(type);
    return `$${name}`;
  }

  #input(type: GraphQLInputType): unknown {
    if (isNonNullType(type)) return this.#present(type.ofType);
    return this.#chance(20) ? null : this.#present(type);
  }

  #present(type: GraphQLInputType): unknown {
    if (isListType(type)) {
      const length = this.g(fc.integer, { min: 0, max: 3 });
      return Array.from({ length }, () => this.#input(type.ofType));
    }
    if (isEnumType(type)) return this.#one(type.getValues()).name;
    if (isInputObjectType(type)) {
      return Object.fromEntries(
        Object.values(type.getFields())
          .filter(
            (field) => (isNonNullType(field.type) && field.defaultValue === undefined) || this.#chance(50),
          )
          .map((field) => [field.name, this.#input(field.type)]),
      );
    }
    if (type.name === 'Int') return this.g(fc.integer, { min: -5, max: 100 });
    if (type.name === 'Boolean') return this.g(fc.boolean);
    if (type.name === 'DateTime') return this.#one(['2026-11-22T10:00:00Z', '2026-01-01T00:00:00.000Z']);
    return this.#one(['', 'circuit-breaker', 'ü "quoted" \\ text', '42']);
  }

  #condition(): string {
    if (!this.extras.conditions || !this.#chance(30)) return '';
    const directive = this.#one(['skip', 'include']);
    if (this.#chance(40)) return ` @${directive}(if: ${this.g(fc.boolean)})`;
    const name = `v${this.#variables.length}`;
    this.#variables.push(`$${name}: Boolean!`);
    this.#values[name] = this.g(fc.boolean);
    return ` @${directive}(if: $${name})`;
  }

  #alias(): string {
    return this.#chance(30) ? `a${this.#aliases++}: ` : '';
  }

  #chance(percent: number): boolean {
    return this.g(fc.nat, 99) < percent;
  }

  #one<T>(items: readonly T[]): T {
    return items[this.g(fc.nat, items.length - 1)] as T;
  }
}

/** The value as text in a document. */
function literal(value: unknown, type: GraphQLInputType): string {
  if (value === null || value === undefined) return 'null';
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (isListType(type)) {
    return `[${(value as unknown[]).map((item) => literal(item, type.ofType)).join(', ')}]`;
  }
  if (isEnumType(type)) return value as string;
  if (isInputObjectType(type)) {
    const fields = type.getFields();
    const members = Object.entries(value).map(([name, member]) => {
      return `${name}: ${literal(member, (fields[name] as GraphQLArgument).type)}`;
    });
    return `{ ${members.join(', ')} }`;
  }
  return JSON.stringify(value);
}

/** Numbers below n that follow from a text. */
export function randomOf(text: string): (n: number) => number {
  let state = 2_166_136_261;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 16_777_619);
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}
