import { Arg, Ctx, FieldResolver, Resolver, Root, Subscription } from 'type-graphql';
import type { UsageQueries } from '../../projections/usage/queries.js';
import { Account } from '../accounts/types.js';
import type { Position } from '../eventsourcing/event.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { accountOf, environmentIn, environmentOf, limitedIn, limitedOf } from '../graphql/kit/context.js';
import { invalidInput } from '../graphql/kit/errors.js';
import { Access, MEMBERS } from '../graphql/kit/access.js';
import { Cost, Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { Metered } from '../graphql/kit/metering.js';
import type { Meter } from '../plans/meters.js';
import type { Profile } from '../plans/profile.js';
import { metersOf } from '../plans/profile.js';
import { periodOf } from './periods.js';
import type { LimitState } from './limiter.js';
import type { LimitStates } from './limitStates.js';
import { LimitStatus, statusOf, totalsOf } from './limitTypes.js';
import { MAX_DAYS, MAX_STATES, Usage, UsageChanged, UsageInterval } from './types.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long an answer waits for the ledger to have seen the newest calls, in milliseconds. */
const LEDGER_WAIT_MS = 1_000;

@Resolver(() => Account)
export class AccountUsageResolver {
  constructor(
    private readonly usageQueries: UsageQueries,
    private readonly standing: LimitStates,
    private readonly profile: () => Profile,
    private readonly tokens: PositionTokens,
    /** Position of the newest batch that this node has stored. */
    private readonly journalPosition: () => number,
    private readonly ledgerReached: (position: number, timeoutMs: number) => Promise<boolean>,
  ) {}

  @Access({ scope: 'read', roles: MEMBERS })
  @Cost(10)
  @FieldResolver(() => Usage, {
    nullable: true,
    description: 'What the account has used: the live calls, or the test calls when asked with a test key.',
  })
  async usage(
    @Root() account: Account,
    @Ctx() context: RequestContext,
    @Arg('from', () => DateTimeISO, {
      nullable: true,
      description: 'Rounded down to the hour (UTC); by default the beginning of the month.',
    })
    from: Date | undefined,
    @Arg('to', () => DateTimeISO, {
      nullable: true,
      description: 'Rounded up to the hour (UTC); by default now. At most 31 days of hours, 400 of days.',
    })
    to: Date | undefined,
    @Arg('interval', () => UsageInterval, {
      defaultValue: UsageInterval.DAY,
      description: 'Sums by the hour or by the day.',
    })
    interval: UsageInterval,
    @Arg('minPosition', () => String, {
      nullable: true,
      description: 'A `position`: the answer waits up to a second to include it.',
    })
    minPosition: string | undefined,
  ): Promise<Usage> {
    const { id } = account;
    const now = new Date(context.now);
    const start = floorHour(from ?? new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1)));
    const end = ceilHour(to ?? new Date(context.now + 1));
    if (end <= start) throw invalidInput('to', '"to" must be later than "from".');
    if (end.getTime() - start.getTime() > MAX_DAYS[interval] * DAY_MS) {
      throw invalidInput('from', `At most ${MAX_DAYS[interval]} days can be asked for by the ${interval}.`);
    }
    const position = minPosition == null ? 0 : this.tokens.decode(minPosition);
    if (position === undefined)
      throw invalidInput('minPosition', '"minPosition" is not a position of this service.');

    const needed = Math.max(position, this.journalPosition());
    const fresh = await this.ledgerReached(needed, LEDGER_WAIT_MS);
    const range = [id, environmentIn(account, context), hourName(start), hourName(end)] as const;
    const [buckets, operations, waits] = await Promise.all([
      this.usageQueries.buckets(...range, interval === UsageInterval.HOUR ? 13 : 10),
      this.usageQueries.byOperation(...range),
      this.usageQueries.waits(id),
    ]);
    return {
      from: start,
      to: end,
      requests: buckets.reduce((sum, { requests }) => sum + requests, 0),
      buckets: buckets.map((row) => ({
        start: new Date(row.bucket.length === 13 ? `${row.bucket}:00:00Z` : `${row.bucket}T00:00:00Z`),
        requests: row.requests,
        refused: row.refused,
        errors: row.errors,
        meanDurationMs: row.requests === 0 ? 0 : row.duration_us / row.requests / 1000,
      })),
      operations,
      stale: !fresh || waits,
    };
  }

  @Access({ scope: 'read', roles: MEMBERS })
  @Cost(2)
  @Sized({ assumedSize: MAX_STATES })
  @FieldResolver(() => [LimitStatus], {
    nullable: true,
    description:
      'The limits in force, and where they stand: those of the plan, then those of the key that asks. Empty if there are none. Reading them spends no request and no points.',
  })
  async limits(@Root() account: Account, @Ctx() context: RequestContext): Promise<LimitStatus[]> {
    const states = await this.standing.of(limitedIn(account, context));
    return shown(states, metersOf(this.profile()));
  }
}

@Resolver()
export class UsageChangedResolver {
  constructor(
    private readonly usageQueries: UsageQueries,
    private readonly standing: LimitStates,
    private readonly profile: () => Profile,
    private readonly tokens: PositionTokens,
    private readonly ledgerReached: (position: number, timeoutMs: number) => Promise<boolean>,
  ) {}

  @Metered('guarded')
  @Access({ scope: 'read', roles: MEMBERS })
  @Subscription(() => UsageChanged, {
    nullable: true,
    description:
      'Where the usage of the account stands: at once, and then whenever it has moved, at most once a second. ' +
      'Slow readers receive only the latest state.',
    subscribe: ({ context }: { context: RequestContext }) =>
      context.usageChanges.watch(accountOf(context), environmentOf(context)),
  })
  async usageChanged(@Root() moved: Position, @Ctx() context: RequestContext): Promise<UsageChanged> {
    const subject = { accountId: accountOf(context), environment: environmentOf(context), keyId: undefined };
    await this.ledgerReached(moved, LEDGER_WAIT_MS);
    const [{ totals, seen }, states] = await Promise.all([
      this.usageQueries.totals(subject, periodOf('month', context.now)),
      this.standing.of(limitedOf(context)),
    ]);
    const meters = metersOf(this.profile());
    return {
      position: this.tokens.encode(seen),
      at: new Date(context.now),
      totals: totalsOf(totals, meters),
      limits: shown(states, meters),
    };
  }
}

const shown = (states: readonly LimitState[], meters: readonly Meter[]): LimitStatus[] =>
  states.map((state) => statusOf(state, meters));

const floorHour = (date: Date): Date => new Date(Math.floor(date.getTime() / HOUR_MS) * HOUR_MS);
const ceilHour = (date: Date): Date => new Date(Math.ceil(date.getTime() / HOUR_MS) * HOUR_MS);
const hourName = (date: Date): string => date.toISOString().slice(0, 13);
