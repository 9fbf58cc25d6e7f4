import { Args, FieldResolver, Resolver, Root } from 'type-graphql';
import type { ThresholdQueries, ThresholdRow } from '../../../projections/thresholds/queries.js';
import { Account } from '../../accounts/types.js';
import { Sized } from '../../graphql/cost/directives.js';
import type { Position } from '../../eventsourcing/event.js';
import type { Behind } from '../../following/behind.js';
import { Access, MEMBERS } from '../../graphql/kit/access.js';
import type { Cursors, Place } from '../../graphql/kit/cursors.js';
import type { Page } from '../../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../../graphql/kit/pages.js';
import type { Meter } from '../../plans/meters.js';
import { decimalsOf, quantityOf } from '../../plans/meters.js';
import { LimitSource } from '../limits/limitTypes.js';
import type { LimitWindow } from '../limits/limitTypes.js';
import type { UsageThreshold } from './thresholdTypes.js';
import { UsageThresholdConnection } from './thresholdTypes.js';

/** Names the list in its cursors. */
const LIST = 'usage-thresholds';

@Resolver(() => Account)
export class AccountThresholdsResolver {
  constructor(
    private readonly queries: Behind<ThresholdQueries>,
    private readonly cursors: Cursors,
    /** Position of the newest event that this process has stored. */
    private readonly stored: () => Position,
    private readonly meters: () => readonly Meter[],
  ) {}

  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => UsageThresholdConnection, {
    nullable: true,
    description:
      'Parts of limits over a day or longer that live usage has reached, the newest first: by default at 50, 80 and 100 percent, once in each period.',
  })
  async usageThresholds(
    @Root() { id }: Account,
    @Args(() => PageArgs) { first, after }: PageArgs,
  ): Promise<Page<UsageThreshold>> {
    const place = this.cursors.after(LIST, after);
    const cursor = place && {
      reachedAt: new Date(Number(place[0])),
      percent: Number(place[1]),
      id: place[2] as string,
    };
    const queries = await this.queries.upTo(this.stored());
    const rows = await queries.reached(id, first, cursor);
    const placeOf = (row: ThresholdRow): Place => [row.reached_at.getTime(), row.percent, row.id];
    return pageOf(this.cursors, LIST, rows, { first, after }, placeOf, (row) => shown(row, this.meters()));
  }
}

function shown(row: ThresholdRow, meters: readonly Meter[]): UsageThreshold {
  const decimals = decimalsOf(row.meter, meters);
  return {
    limit: row.limit_name,
    meter: row.meter,
    window: row.window as LimitWindow,
    source: row.key === null ? LimitSource.PLAN : LimitSource.KEY,
    keyId: row.key,
    percent: row.percent,
    max: quantityOf(row.max, decimals),
    used: quantityOf(BigInt(row.used), decimals),
    reachedAt: new Date(row.reached_at),
  };
}
