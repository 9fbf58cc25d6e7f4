import type { UsageQueries } from '../../projections/usage/queries.js';
import type { Clock } from '../clock.js';
import { billingTimeOf } from '../clock.js';
import type { Position } from '../eventsourcing/event.js';
import { metersOf, reportedProperties, SLIDING_MS, usageTermsOf } from '../plans/profile.js';
import { DuplicateCorrections } from '../usage/reports/duplicateCorrections.js';
import { KnownUses } from '../usage/reports/knownUses.js';
import type { Limiter } from '../usage/limits/limiter.js';
import { UsagePayers } from '../usage/reports/payers.js';
import { notedOfProved } from '../usage/journal/provedUses.js';
import { RecordUsage } from '../usage/reports/reportUsage.js';
import { Reservations } from '../usage/reservations/reservations.js';
import { Reversals } from '../usage/reports/reversals.js';
import type { Logger } from '../logger.js';
import type { Shutdown } from '../shutdown.js';
import type { Queries } from '../../projections/index.js';
import type { Access } from './access.js';
import type { Metering } from './metering.js';
import type { Projections } from './projections.js';
import type { Stores } from './stores.js';

/** How long a report waits for the ledger to have what was stored before this process started, in milliseconds. */
const LEDGER_WAIT_MS = 1_000;

/** What back ends report afterwards, or reserve before. */
export interface Reporting {
  readonly recordUsage: RecordUsage;
  readonly reservations: Reservations;
  readonly payers: UsagePayers;
  readonly reversals: Reversals;
}

/** From one look for reservations that nobody has ended to the next, in milliseconds. */
const EXPIRY_MS = 1_000;
const MAX_EXPIRED = 200;

/** For so long counters may have been counted by a process that has ended since, in milliseconds. */
const KEPT_MS = 2 * SLIDING_MS.hour;

/** Ends the reservations whose time is over: whichever node is first. */
export function expireReservations(
  { reservations }: Reporting,
  clock: Clock,
  log: Logger,
  shutdown: Shutdown,
): void {
  let running: Promise<void> | undefined;
  let problem: string | undefined;
  const expire = async (): Promise<void> => {
    try {
      await reservations.expire(clock(), MAX_EXPIRED);
      problem = undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Once for an outage, and not each time.
      if (problem !== message) log.error('reservations cannot be ended', error);
      problem = message;
    }
  };
  const looking = setInterval(() => {
    running ??= expire().finally(() => (running = undefined));
  }, EXPIRY_MS).unref();
  shutdown.add('reservations', async () => {
    clearInterval(looking);
    await running;
  });
}

/** From one look for uses that were stored twice to the next, in milliseconds. */
const DUPLICATES_MS = 250;

/** Corrects the counters that have counted a use twice, as soon as the ledger has judged. */
export async function correctDuplicates(
  { clock }: Pick<Stores, 'clock'>,
  usage: UsageQueries,
  limiter: Limiter,
  log: Logger,
  shutdown: Shutdown,
): Promise<void> {
  const corrections = new DuplicateCorrections(usage, limiter, await usage.positionBefore(clock() - KEPT_MS));
  let running: Promise<void> | undefined;
  let problem: string | undefined;
  const correct = async (): Promise<void> => {
    try {
      await corrections.correct();
      problem = undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Once for an outage, and not each time.
      if (problem !== message) log.error('duplicates of uses cannot be looked for', error);
      problem = message;
    }
  };
  const looking = setInterval(() => {
    running ??= correct().finally(() => (running = undefined));
  }, DUPLICATES_MS).unref();
  shutdown.add('duplicates of uses', async () => {
    clearInterval(looking);
    await running;
  });
}

/** Made once for all transports: what it remembers, they share. */
export function createReporting({
  stores,
  projections,
  queries,
  access,
  metering,
  log,
}: {
  readonly stores: Stores;
  readonly projections: Projections;
  readonly queries: Queries;
  readonly access: Access;
  readonly metering: Metering;
  readonly log: Logger;
}): Reporting {
  const { store, environmentKeys, subjectIds } = stores;
  const { journal, limiter, shared } = metering;
  const payers = new UsagePayers({
    key: (id) => access.keys.byId(id) ?? environmentKeys.byId(id),
    accounts: async (ids) => {
      const rows = await queries.accounts.accounts(ids);
      const open = rows.flatMap(({ id, deleted_at }) => (deleted_at === null ? [id] : []));
      const named = environmentKeys.accounts.map(({ accountId }) => accountId);
      return new Set([...open.filter((id) => !access.deletedAccounts.has(id)), ...named]);
    },
  });
  let before: Promise<Position> | undefined;
  const reached = (position: Position): Promise<boolean> =>
    projections.models.reached('usage', position, LEDGER_WAIT_MS);
  // What this process has stored itself, it remembers.
  const othersReached = async (): Promise<boolean> =>
    reached(await (shared ? store.head() : (before ??= store.head())));
  // Between a look and the store another node may store the same id.
  const complete = async (): Promise<boolean> => !shared && (await othersReached());
  const recordUsage = new RecordUsage({
    journal,
    limiter,
    known: new KnownUses(queries.usage),
    payers,
    subjects: subjectIds,
    planOf: (account) => access.plans.planOf(account),
    rules: () => {
      const { profile } = access.plans;
      const { lateWindowSeconds, closeAfterSeconds } = usageTermsOf(profile);
      return {
        meters: metersOf(profile),
        lateWindowMs: lateWindowSeconds * 1000,
        closeAfterMs: closeAfterSeconds * 1000,
        reportBy: reportedProperties(profile),
      };
    },
    complete,
  });
  const reservations = new Reservations({
    journal,
    limiter,
    ledger: queries.usage,
    payers,
    subjects: subjectIds,
    planOf: (account) => access.plans.planOf(account),
    shared,
    passed: () => stores.elapsed() + stores.billingClock() - stores.clock(),
    ledgerReached: async (position) => reached(position ?? (await store.head())),
    othersReached,
  });
  journal.onProved((batch) => {
    recordUsage.proved(batch);
    reservations.proved(batch);
    const stored = { ...batch, at: billingTimeOf(batch.at, stores) };
    const now = stores.billingClock();
    const noted = notedOfProved(stored, now, (account) => access.plans.planOf(account), payers);
    void Promise.resolve(limiter.note(noted)).catch((error: unknown) =>
      log.error('limits do not know of uses that proved stored', error),
    );
  });
  const reversals = new Reversals({
    store,
    ledger: queries.usage,
    commands: stores.commands,
    limiter,
    payers,
    planOf: (account) => access.plans.planOf(account),
    ledgerReached: async () => reached(await store.head()),
  });
  return { recordUsage, reservations, payers, reversals };
}
