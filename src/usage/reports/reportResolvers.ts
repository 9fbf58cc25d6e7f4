import { Arg, Ctx, Resolver } from 'type-graphql';
import { commandIdOf } from '../../eventsourcing/commandId.js';
import type { PositionTokens } from '../../eventsourcing/positionToken.js';
import { MANAGERS } from '../../graphql/kit/access.js';
import { Command } from '../../graphql/kit/command.js';
import type { RequestContext } from '../../graphql/kit/context.js';
import { accountOf, environmentOf } from '../../graphql/kit/context.js';
import { badCommandId, InvalidInput, refusalOf } from '../../graphql/kit/refusals.js';
import type { Reporter } from './payers.js';
import type { RecordUsage } from './reportUsage.js';
import { RecordUsageInput, RecordUsagePayload, RecordUsageResult, UseStatus } from './reportTypes.js';
import { MAX_USES } from './reportedUse.js';

/** Who reports. @throws ApiError KEY_MISSING */
export function reporterOf(context: Pick<RequestContext, 'caller'>): Reporter {
  const { caller } = context;
  const operator = (caller.kind === 'key' || caller.kind === 'session') && caller.operator;
  return { accountId: accountOf(context), environment: environmentOf(context), operator };
}

@Resolver()
export class RecordUsageResolver {
  constructor(
    private readonly recording: RecordUsage,
    private readonly positions: PositionTokens,
  ) {}

  @Command(() => RecordUsageResult, {
    access: { scope: 'admin', roles: MANAGERS },
    metering: 'service',
    description:
      'Records what customers have used, after the fact. No limit refuses it. Each use is accepted or rejected on its own and stored before the answer. Operators may report for every account, others for their own. Example: `recordUsage(input: { uses: [{ useId: "u1", keyId: "key_…", meter: "videos", quantity: 1 }] })`.',
  })
  async recordUsage(
    @Ctx() context: RequestContext,
    @Arg('input', () => RecordUsageInput, { description: 'Input for `recordUsage`.' })
    { uses, commandId }: RecordUsageInput,
  ): Promise<typeof RecordUsageResult> {
    if (commandIdOf(commandId) === undefined) return badCommandId();
    if (uses.length < 1 || uses.length > MAX_USES) {
      return new InvalidInput(`Send 1 to ${MAX_USES} uses.`, 'uses');
    }
    const { results, replayed, position } = await this.recording.execute(
      reporterOf(context),
      uses,
      context.usageTime,
    );
    return Object.assign(new RecordUsagePayload(), {
      results: results.map(({ useId, status, late, refusal }) => ({
        useId,
        status: UseStatus[status],
        late,
        refusal: refusal && refusalOf(refusal, 'NotFound', 'Conflict'),
      })),
      replayed,
      position: this.positions.encode(position),
    });
  }
}
