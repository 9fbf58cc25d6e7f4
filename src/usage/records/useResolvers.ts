import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { UsesAsked } from '../../../projections/usage/reports.js';
import { Account } from '../../accounts/types.js';
import { Cost, Sized } from '../../graphql/cost/directives.js';
import { Access, MEMBERS } from '../../graphql/kit/access.js';
import type { RequestContext } from '../../graphql/kit/context.js';
import type { Cursors } from '../../graphql/kit/cursors.js';
import type { Page } from '../../graphql/kit/pages.js';
import { metersOf } from '../../plans/profile.js';
import type { UsageReading } from '../analytics/analyticsResolvers.js';
import { askedOf } from '../analytics/analyticsResolvers.js';
import type { Use as RecordedUse } from '../events.js';
import type { UseLog, UsePlace, UsesWanted } from './useLog.js';
import type { Use } from './useTypes.js';
import { shownUse, UseConnection, UsesArgs } from './useTypes.js';

/** Names the list in its cursors. */
const LIST = 'uses';

@Resolver(() => Account)
export class AccountUsesResolver {
  constructor(
    private readonly log: UseLog,
    private readonly reading: Pick<UsageReading, 'subjectIds' | 'profile'>,
    private readonly cursors: Cursors,
    /** Waits, bounded, until what this process has recorded can be listed. */
    private readonly listed: () => Promise<unknown>,
  ) {}

  @Access({ scope: 'read', roles: MEMBERS })
  @Cost(2)
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => UseConnection, {
    nullable: true,
    description:
      'Single uses, what was recorded last first: the live ones, or those of test keys when asked with a test key. Where few of many match, a page may have fewer than `first` and go on all the same.',
  })
  async uses(
    @Root() account: Account,
    @Ctx() context: RequestContext,
    @Args(() => UsesArgs) { filter, from, to, first, after }: UsesArgs,
  ): Promise<Page<Use>> {
    const place = this.cursors.after(LIST, after);
    const [asked] = await Promise.all([askedOf(this.reading, account, context, filter), this.listed()]);
    const { uses, next } = await this.log.page(
      wantedOf(account.id, asked, from?.getTime(), to?.getTime()),
      first,
      place && { position: Number(place[0]), index: Number(place[1]) },
    );
    const cursorOf = ({ position, index }: UsePlace): string => this.cursors.encode(LIST, [position, index]);
    const meters = metersOf(this.reading.profile());
    const edges = uses.map(({ place: at, use }) => ({ cursor: cursorOf(at), node: shownUse(use, meters) }));
    return {
      edges,
      nodes: edges.map(({ node }) => node),
      pageInfo: {
        hasNextPage: next !== undefined,
        hasPreviousPage: after != null,
        startCursor: edges[0]?.cursor ?? null,
        endCursor: next ? cursorOf(next) : (edges.at(-1)?.cursor ?? null),
      },
    };
  }
}

function wantedOf(
  account: string,
  { environment, filter, properties = {} }: UsesAsked,
  from: number | undefined,
  to: number | undefined,
): UsesWanted {
  const { key, plan, endpoint, operation, field, source, subject, status } = filter;
  const matches = (use: RecordedUse): boolean =>
    (operation === undefined || (use.operation ?? use.rootFields.join(',')) === operation) &&
    (field === undefined || use.rootFields.includes(field) || use.rootFields.join(',') === field) &&
    (plan === undefined || use.plan === plan) &&
    Object.entries(properties).every(([name, value]) => use.properties?.[name] === value) &&
    (source === undefined || use.source === source) &&
    (subject === undefined || use.subject === subject) &&
    (status === undefined || use.status === status);
  return { account, environment, key, endpoint, from, to, matches };
}
