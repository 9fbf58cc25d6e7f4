import type { Queries } from '../../projections/index.js';
import { queriesOf } from '../../projections/index.js';
import { verifiedHolderOf } from '../accounts/verifiedHolder.js';
import { CAPABILITIES, PUBLIC_EVENTS, READ_MODELS } from '../capabilities.js';
import type { PolicyServices } from '../capability.js';
import { announceProgress, onProgress } from '../following/progressChannel.js';
import { FollowedReadModels } from '../following/followedReadModels.js';
import type { ReadModels } from '../following/readModel.js';
import { Projector } from '../following/projector.js';
import { onServingTables } from '../following/servingTables.js';
import { ParkedCount } from '../../projections/usage/parkedCount.js';
import { eraseAgain } from '../accounts/eraseAgain.js';
import { customerSubject } from '../billing/events.js';
import type { Position } from '../eventsourcing/event.js';
import { START } from '../eventsourcing/event.js';
import { FollowedPolicies } from '../following/followedPolicies.js';
import { Leases } from '../following/leases.js';
import type { Policy } from '../eventsourcing/policy.js';
import type { Policies } from '../following/policyRunner.js';
import { PolicyRunner } from '../following/policyRunner.js';
import { EventReader } from '../following/reader.js';
import type { Batch } from '../following/batchObserver.js';
import type { Logger } from '../logger.js';
import { NotYet } from '../outage.js';
import type { Sql } from '../sql/sql.js';
import type { OnProgress } from './options.js';
import type { Shutdown } from '../shutdown.js';
import type { Stores } from './stores.js';

/** Read models that show that an account is there, or is no more. */
const ACCOUNT_MODELS = ['accounts', 'keys', 'teams'];

/** How long one look at the progress waits, in milliseconds. */
const CATCH_UP_STEP_MS = 250;

/** How long a policy waits for a read model before it is tried again, in milliseconds. */
const MODEL_WAIT_MS = 5_000;

/** The last event that a read model or a policy has handled. */
export interface Handled extends Pick<Batch, 'kind' | 'name'> {
  readonly position: Position;
}

/** How many streams a read model or a policy has parked. */
export interface Parked extends Pick<Batch, 'kind' | 'name'> {
  readonly streams: number;
}

/** What follows the events, in this process or in another. */
export interface Projections {
  readonly reader: EventReader;
  readonly models: ReadModels;
  readonly policies: Policies;
  /** The database for queries of read models. */
  readonly sql: Sql;
  /** What an operator has to look at although everything else goes on. */
  readonly warnings: () => readonly string[];
  /** How far the read models and policies of this process have got; empty where another runs them. */
  handled(): readonly Handled[];
  /** How many streams they have parked. */
  parked(): readonly Parked[];
  /** How many uses the ledger has parked, whoever keeps it; undefined while that is not known. */
  parkedUses(): number | undefined;
}

/** What follows the events in this process: one reader, the read models, the policies. */
export interface RunningProjections extends Projections {
  readonly models: Projector;
  readonly policies: PolicyRunner;
  /** For whatever else only one process may do. */
  readonly leases: Leases;
}

/** Where streams are parked, and how many. */
function parkedStreams(models: Projector, policies: PolicyRunner): string[] {
  return [
    ...models.parkedStreams().map(({ model, streams }) => ({ by: `the read model ${model}`, streams })),
    ...policies.parkedStreams().map(({ policy, streams }) => ({ by: `the policy ${policy}`, streams })),
  ]
    .filter(({ streams }) => streams > 0)
    .map(({ by, streams }) => `${by} has parked streams: ${streams}`);
}

/** Starts the read models and the policies. */
export async function startProjections(
  stores: Stores,
  log: Logger,
  shutdown: Shutdown,
): Promise<RunningProjections> {
  const { sql, store, telemetry } = stores;
  const reader = new EventReader(store);
  const leases = await Leases.open(sql, { holder: stores.node, alone: stores.embedded });
  const models = await Projector.open(
    sql,
    reader,
    READ_MODELS,
    (model, error) => log.error(`the read model ${model} is not making progress`, error),
    { leases, observe: telemetry.observe },
  );
  const pointers = {
    generationOf: (model: string) => models.access(model).state().generation,
    refresh: () => Promise.resolve(),
  };
  const serving = onServingTables(sql, READ_MODELS, pointers);
  const policies = await PolicyRunner.open(
    sql,
    reader,
    createPolicies(stores, models, serving),
    (policy, error) => log.error(`the policy ${policy} is not making progress`, error),
    { leases, observe: telemetry.observe },
  );
  await announceProgress(sql);
  models.start();
  policies.start();
  shutdown.add('projections', async () => {
    reader.close();
    await Promise.all([models.stop(), policies.stop()]);
  });
  const handled = (): Handled[] => [
    ...models
      .written()
      .map(({ model, position }) => ({ kind: 'read_model' as const, name: model, position })),
    ...policies
      .handled()
      .map(({ policy, position }) => ({ kind: 'policy' as const, name: policy, position })),
  ];
  const parked = (): Parked[] => [
    ...models
      .parkedStreams()
      .map(({ model, streams }) => ({ kind: 'read_model' as const, name: model, streams })),
    ...policies
      .parkedStreams()
      .map(({ policy, streams }) => ({ kind: 'policy' as const, name: policy, streams })),
  ];
  const parkedUses = await countParkedUses(serving, models, log);
  const warnings = (): string[] => [...parkedStreams(models, policies), ...usesParked(parkedUses())];
  return { reader, models, policies, leases, handled, parked, parkedUses, warnings, sql: serving };
}

/** @returns how many uses are parked, undefined while that is not known */
async function countParkedUses(sql: Sql, models: ReadModels, log: Logger): Promise<() => number | undefined> {
  const uses = new ParkedCount(models, queriesOf(sql, models).usage, (error) => {
    // Before the first projector has built the ledger, /health says that.
    if (models.states().some(({ model }) => model === 'usage')) {
      log.error('the parked uses cannot be counted', error);
    }
  });
  await uses.refresh();
  return () => uses.count;
}

/** A warning, where there is a reason for one. */
function usesParked(uses: number | undefined): string[] {
  if (uses === undefined) return ['it is not known whether uses are parked'];
  return uses === 0 ? [] : [`uses that cannot be counted are parked: ${uses}`];
}

/** @returns whether the read models show in time which accounts there were at the position */
export async function accountsShown(
  models: ReadModels,
  position: Position,
  timeoutMs: number,
): Promise<boolean> {
  const all = await Promise.all(ACCOUNT_MODELS.map((name) => models.reached(name, position, timeoutMs)));
  return all.every(Boolean);
}

/** Follows the read models and policies of the projector, which is another process. */
export async function followProjections(
  stores: Stores,
  log: Logger,
  shutdown: Shutdown,
): Promise<Projections> {
  const { sql, store } = stores;
  const reader = new EventReader(store);
  shutdown.add('event reader', () => reader.close());
  const onError = (error: unknown): void => log.error('what the projector does is not known', error);
  const models = await FollowedReadModels.open(sql, reader, READ_MODELS, onProgress(sql), onError);
  shutdown.add('followed read models', () => models.stop());
  const policies = await FollowedPolicies.open(
    sql,
    reader,
    createPolicies(stores, models, sql),
    onProgress(sql),
    onError,
  );
  shutdown.add('followed policies', () => policies.stop());
  const serving = onServingTables(sql, READ_MODELS, models);
  const parkedUses = await countParkedUses(serving, models, log);
  return {
    reader,
    models,
    policies,
    handled: () => [],
    // Of streams the projector tells, which has parked them.
    parked: () => [],
    parkedUses,
    sql: serving,
    warnings: () => usesParked(parkedUses()),
  };
}

function createPolicies(stores: Stores, models: ReadModels, sql: Sql): Policy[] {
  const { commands, personal, secrets } = stores;
  const asOf: PolicyServices['asOf'] = (model, ask) => async (id, position) => {
    if (!(await models.reached(model, position, MODEL_WAIT_MS))) {
      // No fault of the event: one that waits for a read model is never parked.
      throw new NotYet(`the read model ${model} is not there yet`);
    }
    return ask(id);
  };
  const services: PolicyServices = {
    ...stores,
    queries: queriesOf(sql, models),
    publicEvents: PUBLIC_EVENTS,
    verifiedHolder: (email) => verifiedHolderOf(commands, personal, secrets.EMAIL_HASH_KEY, email),
    asOf,
  };
  return CAPABILITIES.flatMap((capability) => capability.policies?.(services) ?? []);
}

/** What cannot be undone waits so long, in milliseconds: the clock may be ahead at the start. */
const SURE_MS = 24 * 3_600_000;

/**
 * Erases again whom an old backup of the vault has brought back, and the e-mails of invitations that nobody
 * has answered in time. The read models must have caught up.
 */
export async function eraseRestored(
  { personal, clock }: Stores,
  { accounts, subscriptions, teams }: Pick<Queries, 'accounts' | 'subscriptions' | 'teams'>,
  log: Logger,
): Promise<void> {
  await personal.erase(await personal.withKey(await teams.over(new Date(clock() - SURE_MS))));
  const deleted = await accounts.deleted();
  const customers = await subscriptions.customersOf(deleted.map(({ accountId }) => accountId));
  const restored = await eraseAgain(personal, [
    ...deleted.map(({ ownerId }) => ownerId),
    ...customers.map(customerSubject),
  ]);
  if (restored.length === 0) return;
  log.warn('the vault held keys of erased users, as an old backup does; they are erased again', {
    keys: restored.length,
  });
}

/** Until all read models have seen what is stored now. */
export async function catchUp({ models }: Projections, { store }: Stores, report: OnProgress): Promise<void> {
  const head = await store.head();
  while (!(await models.allReached(head, CATCH_UP_STEP_MS))) {
    const done = Math.min(head, ...models.states().map(({ checkpoint }) => checkpoint));
    report('Catching up', done, head);
  }
}

/** Until what policies do about the last events is stored too, and shown: a stop leaves nothing half done. */
export async function settle(projections: Projections, stores: Stores, report: OnProgress): Promise<void> {
  for (let handled = START; handled < (await stores.store.head());) {
    handled = await stores.store.head();
    while (!(await projections.policies.reached(handled, CATCH_UP_STEP_MS)));
  }
  await catchUp(projections, stores, report);
}
