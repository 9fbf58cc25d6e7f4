import { Arg, Ctx, FieldResolver, ID, Resolver } from 'type-graphql';
import { Cost, Sized } from '../../graphql/cost/directives.js';
import type { RequestContext } from '../../graphql/kit/context.js';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { givenId } from '../../graphql/kit/ids.js';
import { Operator } from '../../operators/types.js';
import type { Meter } from '../../plans/meters.js';
import { quantitiesIn } from '../limits/limitTypes.js';
import type { Traced, Traces } from './traces.js';
import { TracedUse } from './traceTypes.js';

/** Records of one request: a route may ask for several things. */
const MAX_TRACED = 100;

@Resolver(() => Operator)
export class TracesResolver {
  constructor(
    private readonly traces: Traces,
    private readonly meters: () => readonly Meter[],
  ) {}

  @Cost(100)
  @Sized({ assumedSize: MAX_TRACED })
  @FieldResolver(() => [TracedUse], {
    nullable: true,
    description:
      'What the journal has of a request, by the `X-Request-Id` of its answer. Empty for one that took nothing from a plan.',
  })
  async usesOfRequest(
    @Ctx() context: RequestContext,
    @Arg('requestId', () => String, { description: 'As in the header `X-Request-Id`.' }) requestId: string,
    @Arg('around', () => DateTimeISO, {
      nullable: true,
      description:
        'When it was, give or take half an hour; by default now. It is needed for an id that the caller had sent.',
    })
    around: Date | undefined,
    @Arg('accountId', () => ID, {
      nullable: true,
      description: 'Whose request it was: where its refusal was only counted, that count is returned.',
    })
    accountId: string | undefined,
  ): Promise<TracedUse[]> {
    const traced = await this.traces.find({
      requestId,
      around: around?.getTime() ?? context.now,
      accountId: accountId === undefined ? undefined : givenId('Account', accountId),
    });
    return traced.slice(0, MAX_TRACED).map((one) => shown(one, this.meters()));
  }
}

function shown({ account, use, record }: Traced, meters: readonly Meter[]): TracedUse {
  const { id, key, at, endpoint, method, operation, status, durationUs, refusal } = use;
  return Object.assign(new TracedUse(), {
    useId: id,
    accountId: account,
    keyId: key === '' ? null : key,
    at: new Date(at),
    endpoint,
    method,
    operation,
    status,
    durationMs: Math.round(durationUs / 1000),
    quantities: quantitiesIn(use, meters),
    refusalCode: refusal?.code ?? null,
    refusedBy: refusal?.limit ?? null,
    count: refusal?.count ?? 1,
    record,
  });
}
