import { accounts } from '../../projections/accounts/model.js';
import { catalogue } from '../../projections/catalogue/model.js';
import { keys } from '../../projections/keys/model.js';
import { popularity } from '../../projections/popularity/model.js';
import type { ReadModel } from '../../projections/readModel.js';
import { Projector } from '../../projections/runner.js';
import { usage } from '../../projections/usage/model.js';
import { openAccount } from '../accounts/policies.js';
import { START } from '../eventsourcing/event.js';
import { PolicyRunner } from '../eventsourcing/policy.js';
import { EventReader } from '../eventsourcing/reader.js';
import type { Logger } from '../logger.js';
import type { OnProgress } from './options.js';
import type { Shutdown } from './shutdown.js';
import type { Stores } from './stores.js';

export const READ_MODELS: readonly ReadModel[] = [keys, accounts, catalogue, usage, popularity];

/** How long one look at the progress waits, in milliseconds. */
const CATCH_UP_STEP_MS = 250;

/** What follows the events in this process: one reader, the read models, the policies. */
export interface Projections {
  readonly reader: EventReader;
  readonly projector: Projector;
  readonly policies: PolicyRunner;
}

/** Starts the read models and the policies. */
export async function startProjections(
  { sql, store, commands }: Stores,
  log: Logger,
  shutdown: Shutdown,
): Promise<Projections> {
  const reader = new EventReader(store);
  const projector = await Projector.open(sql, reader, READ_MODELS, (model, error) =>
    log.error(`the read model ${model} does not get on`, error),
  );
  const policies = await PolicyRunner.open(sql, reader, [openAccount(commands)], (policy, error) =>
    log.error(`the policy ${policy} does not get on`, error),
  );
  projector.start();
  policies.start();
  shutdown.add('projections', async () => {
    reader.close();
    await Promise.all([projector.stop(), policies.stop()]);
  });
  return { reader, projector, policies };
}

/** Until all read models have seen what is stored now. */
export async function catchUp(
  { projector }: Projections,
  { store }: Stores,
  onProgress: OnProgress,
): Promise<void> {
  const head = await store.head();
  while (!(await projector.allReached(head, CATCH_UP_STEP_MS))) {
    const done = Math.min(...projector.states().map(({ checkpoint }) => checkpoint));
    onProgress('Catching up', Math.min(done, head), head);
  }
}

/** Until what policies do about the last events is stored too, and shown: a stop leaves nothing half done. */
export async function settle(
  projections: Projections,
  stores: Stores,
  onProgress: OnProgress,
): Promise<void> {
  for (let handled = START; handled < (await stores.store.head());) {
    handled = await stores.store.head();
    while (!(await projections.policies.reached(handled, CATCH_UP_STEP_MS)));
  }
  await catchUp(projections, stores, onProgress);
}
