import type { GraphQLInterfaceType, GraphQLSchema } from 'graphql';
import { ATTEMPTS, ATTEMPTS_WINDOW_MS } from '../accounts/attempts.js';
import { Credentials } from '../accounts/credentials.js';
import { userDecider } from '../accounts/decideUser.js';
import type { Email } from '../accounts/email.js';
import { emailHash, normaliseEmail } from '../accounts/email.js';
import { claimedHash, hashesOfMailbox } from '../accounts/emailStreams.js';
import { userStream } from '../accounts/events.js';
import type { Sessions } from '../sessions/sessions.js';
import { StartSession } from '../sessions/startSession.js';
import { PasswordCheck } from '../accounts/passwordCheck.js';
import { verifiedUser } from '../accounts/verifiedHolder.js';
import { AWAITED_MODELS, CAPABILITIES, NOT_AWAITED, PUBLIC_EVENTS, RESOLVERS } from '../capabilities.js';
import type { Services, Users } from '../capability.js';
import { fold } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import { PositionTokens } from '../eventsourcing/positionToken.js';
import { ReadYourWrites } from '../following/readYourWrites.js';
import type { Gate } from '../gate/gate.js';
import { createKeyDesk } from '../gate/keyDesk.js';
import { standings } from '../gate/standing.js';
import { createSchema, showMutations } from '../graphql/execution/schema.js';
import { CommandSender } from '../graphql/kit/command.js';
import { Cursors } from '../graphql/kit/cursors.js';
import type { NodeFinders } from '../graphql/kit/node.js';
import { NodeResolver } from '../graphql/kit/node.js';
import { operatorAction } from '../graphql/kit/operatorAction.js';
import type { Logger } from '../logger.js';
import { SignedTokens } from '../secrets/signedTokens.js';
import { Guard } from '../usage/limits/guard.js';
import type { LimitStates } from '../usage/limits/limitStates.js';
import type { ApiCommands, Parts } from './parts.js';
import { accountsShown } from './projections.js';
import type { Stores } from './stores.js';

/** How long an answer waits for the ledger, in milliseconds. */
const COUNTED_WAIT_MS = 1_000;

/** Who calls, and where they stand. */
export interface Calls {
  readonly sessions: Sessions;
  readonly limitStates: LimitStates;
  readonly gate: Gate;
  readonly problems: () => readonly string[];
}

/** What capabilities are given to answer with. */
export function createServices(
  parts: Parts,
  commands: ApiCommands,
  { sessions, limitStates, gate, problems }: Calls,
  log: Logger,
): Services {
  const { stores, projections, queries, access, metering, search } = parts;
  const positions = new PositionTokens(stores.storeId);
  const { models, policies } = projections;
  const showing = new ReadYourWrites(models, AWAITED_MODELS);
  stores.commands.onAppended(showing.appended);
  const stored = (): Position => Math.max(showing.written, metering.journal.lastPosition);
  const passwordAttempts = new Guard(ATTEMPTS, ATTEMPTS_WINDOW_MS, stores.elapsed);
  const planOf: Services['planOf'] = (account) => access.plans.planOf(account);
  return {
    ...stores,
    ...commands,
    queries,
    publicEvents: PUBLIC_EVENTS,
    memory: access,
    log,
    sessions,
    startSession: new StartSession(stores.commands, sessions, stores.refreshTokens),
    passwordCheck: passwordCheckOf(stores, passwordAttempts, (account) =>
      access.deletedAccounts.has(account),
    ),
    passwordAttempts,
    keyDesk: createKeyDesk(gate, limitStates, parts.reporting.reservations, () => access.plans.profile),
    limitStates,
    ...parts.reporting,
    journal: metering.journal,
    search,
    billing: parts.billing?.desk,
    analysis: parts.scanner?.desk,
    problems,
    overage: parts.overage,
    sql: projections.sql,
    models,
    settled: async (position, timeoutMs) => {
      if (!(await policies.reached(position, timeoutMs))) return false;
      return accountsShown(models, await stores.store.head(), timeoutMs);
    },
    shown: () => showing.wait(),
    stored,
    counted: () => models.reached('usage', stored(), COUNTED_WAIT_MS),
    planOf,
    standingIn: standings(access),
    users: usersOf(stores),
    guard: (attempts, windowMs) => new Guard(attempts, windowMs, stores.elapsed),
    operatorAction: operatorAction(metering.addresses),
    cursors: new Cursors(stores.secrets.SESSION_KEY),
    positions,
    sender: new CommandSender(stores.commands, positions),
    mailedTokens: new SignedTokens(stores.secrets.SESSION_KEY),
  };
}

/** The schema of the product, with all that answers it. */
export function createProductSchema(services: Services): GraphQLSchema {
  const resolving = CAPABILITIES.flatMap(({ graphql }) => graphql?.create(services) ?? []);
  const instances = resolving.flatMap(({ resolvers }) => resolvers);
  for (const resolver of RESOLVERS) {
    if (instances.some((instance) => instance.constructor === resolver)) continue;
    throw new Error(`the resolver ${resolver.name} has no instance`);
  }
  const finders = Object.assign({}, ...resolving.map(({ nodes }) => nodes)) as NodeFinders;
  const schema = createSchema([new NodeResolver(finders), ...instances]);
  for (const { name } of schema.getPossibleTypes(schema.getType('Node') as GraphQLInterfaceType)) {
    if (!Object.hasOwn(finders, name)) throw new Error(`nothing finds a ${name} by its id`);
  }
  showMutations(schema, services.shown, NOT_AWAITED);
  return schema;
}

function passwordCheckOf(
  { commands, personal, secrets }: Stores,
  attempts: Guard,
  deleted: (accountId: string) => boolean,
): PasswordCheck {
  const hashKey = secrets.EMAIL_HASH_KEY;
  const credentials = new Credentials(commands, personal);
  const hashOf = (email: Email) => claimedHash(commands, hashKey, email);
  return new PasswordCheck(credentials, attempts, hashKey, hashOf, deleted);
}

function usersOf({ commands, personal, secrets }: Stores): Users {
  const hashKey = secrets.EMAIL_HASH_KEY;
  return {
    normaliseEmail,
    hashOf: (email) => emailHash(hashKey, email),
    emailOf: async (userId) => {
      const { email: sealed, emailVerified } = fold(userDecider, await commands.load(userStream(userId)));
      const email = sealed === undefined ? null : await personal.unseal(sealed);
      if (email === null) return undefined;
      return { hashes: hashesOfMailbox(hashKey, email), verified: emailVerified };
    },
    verified: (userId) => verifiedUser(commands, userId),
  };
}
