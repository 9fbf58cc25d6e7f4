import type { IdType } from '../graphql/kit/ids.js';
import { isIdType, parseId, shownId } from '../graphql/kit/ids.js';

/** Who did something, as answers show it. */
export interface Actor {
  readonly type: 'user' | 'key' | 'policy' | 'command_line' | 'system';
  /** Of a user or a key, with its prefix; the name of what else has one. */
  readonly actorId: string | null;
  readonly asOperator: boolean;
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Reads an actor as facts have it: `user:<id>`, `operator:<id>`, `operator:key:<id>`, `policy:<name>`, `system`. */
export function actorOf(stored: string): Actor {
  const asOperator = stored.startsWith('operator:');
  const [kind, name] = halves(asOperator ? stored.slice('operator:'.length) : stored);
  if (name === undefined && asOperator) {
    return UUID.test(kind)
      ? { type: 'user', actorId: shownId('User', kind), asOperator }
      : { type: 'command_line', actorId: kind, asOperator };
  }
  if (name === undefined) return { type: 'system', actorId: kind === 'system' ? null : kind, asOperator };
  if (kind === 'user') return { type: 'user', actorId: shownId('User', name), asOperator };
  if (kind === 'key') return { type: 'key', actorId: shownId('Key', name), asOperator };
  if (kind === 'policy') return { type: 'policy', actorId: name, asOperator };
  return { type: 'system', actorId: stored, asOperator };
}

/** The same in one text, for exports: `usr_…`, `operator:key_…`, `policy:open-account`, `system`. */
export function actorText(stored: string): string {
  const { type, actorId, asOperator } = actorOf(stored);
  const named = type === 'policy' ? `policy:${actorId}` : (actorId ?? 'system');
  return asOperator ? `operator:${named}` : named;
}

const KINDS = { User: 'user', Key: 'key' } as const;

/** How facts may have an actor that somebody asks for: by id, by name, or as an export or a fact says it. */
export function storedActors(asked: string): readonly string[] {
  const { type, id } = parseId(asked.replace(/^operator:/, '')) ?? {};
  if (type !== 'User' && type !== 'Key') {
    return ['', 'user:', 'key:', 'policy:', 'operator:', 'operator:key:'].map((kind) => kind + asked);
  }
  const above = type === 'User' ? `operator:${id}` : `operator:key:${id}`;
  return asked.startsWith('operator:') ? [above] : [above, `${KINDS[type]}:${id}`];
}

/** Streams that are named by the account that they are about. */
const OF_ACCOUNTS: ReadonlySet<string> = new Set(['credits', 'overage', 'subscription', 'team']);

/** The type of what a stream is named by, where answers show its id: of `rule_set` it is `RuleSet`. */
function typeOf(category: string): IdType | undefined {
  if (OF_ACCOUNTS.has(category)) return 'Account';
  const name = category.replace(/(?:^|[_-])([a-z])/g, (_part, letter: string) => letter.toUpperCase());
  return isIdType(name) ? name : undefined;
}

/** What something was done to, by its id as answers show it; what has none by `category:name`. */
export function subjectText(stored: string): string {
  const [category, name] = halves(stored);
  const type = typeOf(category);
  return type === undefined || name === undefined ? stored : shownId(type, name);
}

function halves(text: string): [string, string | undefined] {
  const at = text.indexOf(':');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
