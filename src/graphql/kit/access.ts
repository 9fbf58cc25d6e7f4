import type { DocumentNode, GraphQLOutputType, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import {
  DirectiveLocation,
  getDirectiveValues,
  getNamedType,
  GraphQLBoolean,
  GraphQLDirective,
  GraphQLEnumType,
  GraphQLList,
  GraphQLNonNull,
  isInterfaceType,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  typeFromAST,
} from 'graphql';
import type { FragmentDefinitionNode, GraphQLField, SelectionSetNode } from 'graphql';
import { Directive } from 'type-graphql';
import type { Scope } from '../../keys/events.js';
import { SCOPES } from '../../keys/events.js';
import type { Role } from '../../teams/events.js';
import { ROLES } from '../../teams/events.js';
import type { Caller, DemoCaller } from './context.js';
import type { ErrorCode } from './errors.js';
import type { Standing } from './standing.js';

/** How the schema names them; `createSchema` puts its own enums in the place of these. */
const enumOf = (name: string, values: readonly string[]): GraphQLEnumType =>
  new GraphQLEnumType({
    name,
    values: Object.fromEntries(values.map((value) => [value.toUpperCase(), { value }])),
  });

export const ACCESS_DIRECTIVE = new GraphQLDirective({
  name: 'access',
  description:
    'Who may request the field: a key with this scope, or the session of a user with one of these roles. On a ' +
    'root field the role in the current account counts; below an account, the role in that account. Everything ' +
    'below Query.operator is open to operators. A nested field without this directive is open to everyone who ' +
    'may request its parent.',
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: {
    anyone: {
      type: GraphQLBoolean,
      defaultValue: false,
      description: 'Whether anyone may request it, without a credential.',
    },
    scope: {
      type: enumOf('KeyScope', SCOPES),
      description: 'The scope that a key needs. No scope includes another. If omitted, keys are refused.',
    },
    roles: {
      type: new GraphQLList(new GraphQLNonNull(enumOf('MemberRole', ROLES))),
      description: 'A session needs one of these roles. If omitted, sessions are refused.',
    },
    operator: {
      type: GraphQLBoolean,
      defaultValue: false,
      description:
        'Whether the caller must also be an operator: the signed-in user, or the owner of the key’s account.',
    },
  },
});

/** Who may ask for a field. */
export interface AccessRule {
  readonly anyone?: boolean;
  readonly scope?: Scope | undefined;
  readonly roles?: readonly Role[] | undefined;
  readonly operator?: boolean;
  /** Set for what stands below an account: the role is judged there, where the account is known. */
  readonly below?: boolean;
}

/** Every member of an account. */
export const MEMBERS: readonly Role[] = ROLES;
/** Those who build with the API. */
export const BUILDERS: readonly Role[] = ['owner', 'admin', 'developer'];
/** Those who run the account. */
export const MANAGERS: readonly Role[] = ['owner', 'admin'];
/** Those who pay. */
export const PAYERS: readonly Role[] = ['owner', 'admin', 'billing'];

/** Declares who may ask for a field. A root field without it is refused to everybody. */
export const Access = (rule: AccessRule) => {
  const named = (value: unknown): string =>
    Array.isArray(value) ? `[${value.map(named).join(', ')}]` : String(value).toUpperCase();
  const values = Object.entries(rule).map(
    ([name, value]) => `${name}: ${typeof value === 'boolean' ? value : named(value)}`,
  );
  return Directive(`@access(${values.join(', ')})`);
};

/** @returns what the field itself says */
export function accessRuleOf({ astNode }: Pick<GraphQLField<unknown, unknown>, 'astNode'>) {
  return getDirectiveValues(ACCESS_DIRECTIVE, astNode ?? {}) as AccessRule | undefined;
}

/** A root field that says nothing. */
const NOBODY: AccessRule = {};

/**
 * The rules of all fields that an operation names, skipped or not, each rule once.
 * @param document valid against the schema
 */
export function accessRulesOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): readonly AccessRule[] {
  const rules = new Map<string, AccessRule>();
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const root = schema.getRootType(operation.operation);
  const visited = new Set<string>();
  const collect = ({ selections }: SelectionSetNode, parent: GraphQLOutputType | null | undefined): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        if (!fragment || visited.has(selection.name.value)) continue;
        visited.add(selection.name.value);
        collect(fragment.selectionSet, typeFromAST(schema, fragment.typeCondition) as GraphQLOutputType);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const { typeCondition } = selection;
        const type = typeCondition ? (typeFromAST(schema, typeCondition) as GraphQLOutputType) : parent;
        collect(selection.selectionSet, type);
      } else {
        const name = selection.name.value;
        // Introspection is open to everybody.
        if (name === SchemaMetaFieldDef.name || name === TypeMetaFieldDef.name) continue;
        const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
        if (!field) continue;
        const own = accessRuleOf(field) ?? (parent === root ? NOBODY : undefined);
        const rule = own && parent !== root ? { ...own, below: true } : own;
        if (rule) rules.set(JSON.stringify(rule), rule);
        if (selection.selectionSet)
          collect(selection.selectionSet, getNamedType(field.type) as GraphQLOutputType);
      }
    }
  };
  collect(operation.selectionSet, root);
  return [...rules.values()];
}

/**
 * Why the caller may not ask for this, if he may not, before anything is executed. Of what stands below an
 * account this is only what holds for every account; `refusedIn` judges the rest.
 */
export function refusedAccess(
  caller: Caller | DemoCaller,
  rules: readonly AccessRule[],
): ErrorCode | undefined {
  if (caller.kind === 'refused') return caller.code;
  for (const rule of rules) {
    const code = rule.anyone ? undefined : refusedBy(caller, rule);
    if (code !== undefined) return code;
  }
  return undefined;
}

function refusedBy(
  caller: Exclude<Caller | DemoCaller, { kind: 'refused' }>,
  { scope, roles, operator, below }: AccessRule,
): ErrorCode | undefined {
  // Who has neither is told of the one that is had more easily.
  const missing = roles && scope !== 'read' ? 'SESSION_MISSING' : 'KEY_MISSING';
  if (caller.kind === 'anonymous') return missing;
  if (caller.kind === 'demo') return scope === 'read' && !operator ? undefined : missing;
  // Reached through `operator`, all of an account is open to them.
  if (below && caller.operator) return undefined;
  if (caller.kind === 'key') {
    const refused = refusedIn({ kind: 'key', scopes: caller.key.scopes }, { scope, roles });
    if (refused) return refused;
  } else {
    const role = below ? roles?.[0] : caller.role;
    const refused = role ? refusedIn({ kind: 'member', role }, { scope, roles }) : 'KEY_MISSING';
    if (refused) return refused;
  }
  return operator && !caller.operator ? 'OPERATOR_REQUIRED' : undefined;
}

/** Why this may not be read in an account, if it may not. */
export function refusedIn(
  standing: Standing | undefined,
  { scope, roles }: Pick<AccessRule, 'scope' | 'roles'>,
): ErrorCode | undefined {
  switch (standing?.kind) {
    case undefined:
      return 'SESSION_MISSING';
    case 'operator':
      return undefined;
    case 'key':
      if (scope === undefined) return 'SESSION_MISSING';
      return standing.scopes.includes(scope) ? undefined : 'SCOPE_MISSING';
    case 'member':
      if (!roles) return 'KEY_MISSING';
      return roles.includes(standing.role) ? undefined : 'ROLE_MISSING';
  }
}

/** Of objects of accounts those that may be read. @param standingOf what the caller may do in an object's account */
export async function inReach<T>(
  objects: readonly T[],
  standingOf: (object: T) => Promise<Standing | undefined>,
  rule: Pick<AccessRule, 'scope' | 'roles'>,
): Promise<T[]> {
  const standings = await Promise.all(objects.map(standingOf));
  return objects.filter((_object, i) => standings[i] && refusedIn(standings[i], rule) === undefined);
}
