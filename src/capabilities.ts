import { readModels } from '../projections/index.js';
import { accounts } from './accounts/index.js';
import { analysis } from './analysis/index.js';
import { audit } from './audit/index.js';
import { billing } from './billing/index.js';
import type { Capability, LoaderServices } from './capability.js';
import { catalogue } from './catalogue/index.js';
import { credits } from './credits/index.js';
import { disputes } from './disputes/index.js';
import type { AuditedTypes } from './eventsourcing/audited.js';
import { corrections } from './eventsourcing/audited.js';
import type { StoredEvent } from './eventsourcing/event.js';
import type { PublicEvents } from './eventsourcing/publicEvents.js';
import type { Loaders } from './graphql/kit/loaders.js';
import { history } from './history/index.js';
import { identities } from './identities/index.js';
import { installation } from './installation/index.js';
import { keys } from './keys/index.js';
import { mail } from './mail/index.js';
import { operators } from './operators/index.js';
import { overage } from './overage/index.js';
import { plans } from './plans/index.js';
import { sessions } from './sessions/index.js';
import { teams } from './teams/index.js';
import { usage } from './usage/index.js';
import { webhooks } from './webhooks/index.js';

/** All capabilities. What follows is derived from this list. */
export const CAPABILITIES: readonly Capability[] = [
  installation,
  accounts,
  sessions,
  identities,
  catalogue,
  keys,
  teams,
  usage,
  mail,
  operators,
  plans,
  billing,
  analysis,
  overage,
  credits,
  disputes,
  audit,
  webhooks,
  history,
];

/** The categories of all streams. EventStoreDB may hold streams of others too; these are ours. */
export const CATEGORIES: readonly string[] = [
  'corrections',
  ...CAPABILITIES.flatMap(({ streams }) => streams),
].sort();

/** The categories of the streams that are followed in memory. */
export const REMEMBERED: ReadonlySet<string> = new Set(
  CAPABILITIES.filter((capability) => 'memory' in capability || 'ends' in capability).flatMap(
    ({ streams, remembers = [] }) => [...streams, ...remembers],
  ),
);

const AUDITED: AuditedTypes = Object.assign(
  {},
  corrections,
  ...CAPABILITIES.map(({ audited }) => audited),
) as AuditedTypes;

/** What webhooks tell, by the types of the stored events. */
export const PUBLIC_EVENTS: PublicEvents = Object.assign(
  {},
  ...CAPABILITIES.map(({ publicEvents }) => publicEvents),
) as PublicEvents;

export const READ_MODELS = readModels(AUDITED);

/** The read models that mutations wait for before they answer, so that a client reads its own writes. */
export const AWAITED_MODELS: readonly string[] = READ_MODELS.filter(({ awaited = true }) => awaited).map(
  ({ name }) => name,
);

export const RESOLVERS = CAPABILITIES.flatMap(({ graphql }) => graphql?.resolvers ?? []);

const LOADERS = CAPABILITIES.flatMap(({ graphql }) => graphql?.loaders ?? []);

/** The loaders of one request. */
export const loadersOf = (services: LoaderServices): Loaders =>
  Object.assign({}, ...LOADERS.map((make) => make(services))) as Loaders;

/** Mutations that wait for no read model. */
export const NOT_AWAITED: ReadonlySet<string> = new Set(
  CAPABILITIES.flatMap(({ graphql }) => graphql?.notAwaited ?? []),
);

/** What may end a credential, by the type of the event: the account that it was for. */
export const ENDS: ReadonlyMap<string, (event: StoredEvent) => string> = new Map(
  CAPABILITIES.flatMap(({ ends = {} }) => Object.entries(ends)),
);
