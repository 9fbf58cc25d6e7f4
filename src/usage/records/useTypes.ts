import 'reflect-metadata';
import { ArgsType, Field, Float, ID, ObjectType } from 'type-graphql';
import { Sized } from '../../graphql/cost/directives.js';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { IdOf } from '../../graphql/kit/ids.js';
import { connectionOf, PageArgs } from '../../graphql/kit/pages.js';
import { Quantity } from '../../graphql/kit/quantity.js';
import type { Meter } from '../../plans/meters.js';
import type { Use as RecordedUse } from '../events.js';
import { MetadataEntry } from '../../keys/types.js';
import { MeterQuantity, quantitiesIn } from '../limits/limitTypes.js';
import { MAX_PROPERTIES } from '../reports/reportedUse.js';
import { CallStatus, MAX_TOTALS, UsageFilter } from '../types.js';

@ObjectType({
  simpleResolvers: true,
  description: 'A call, or something that a back end has reported, as it was recorded.',
})
export class Use {
  @Field(() => ID, {
    description:
      'Id of the use, unique within the account: the reporter’s, with `own.` before it where a customer reports, or one of this service.',
  })
  useId!: string;

  @Field(() => DateTimeISO, { description: 'When it was used.' })
  at!: Date;

  @IdOf('Key')
  @Field(() => ID, { nullable: true, description: 'The key that was used. Null if none was named.' })
  keyId!: string | null;

  @Field(() => String, { description: 'The route, e.g. `/graphql`, or what was reported.' })
  endpoint!: string;

  @Field(() => String, { description: 'The method of HTTP, or how it was reported.' })
  method!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The operation’s name, or its root fields where it has none, with commas between.',
  })
  operation!: string | null;

  @Field(() => String, { nullable: true, description: 'The data source, where one was told.' })
  source!: string | null;

  @Field(() => CallStatus, { description: 'How the call ended.' })
  status!: CallStatus;

  @Sized({ assumedSize: MAX_TOTALS })
  @Field(() => [MeterQuantity], { description: 'Amounts of the use, per meter.' })
  quantities!: MeterQuantity[];

  @Field(() => Float, { description: 'Time of execution, in milliseconds.' })
  durationMs!: number;

  @Sized({ assumedSize: MAX_PROPERTIES })
  @Field(() => [MetadataEntry], { description: 'What a back end has labelled it with.' })
  properties!: MetadataEntry[];

  @Field(() => String, { nullable: true, description: 'Code of the refusal, of a call that was refused.' })
  refusalCode!: string | null;

  @Field(() => Quantity, {
    description:
      'Number of calls that this entry stands for: 1, or more for equal calls that were refused within a minute.',
  })
  calls!: string;

  @Field(() => Boolean, {
    description: 'Whether it counts in a later period than the one of its time, which was closed.',
  })
  late!: boolean;

  @Field(() => Boolean, { description: 'Whether a limit was used up when it was reported.' })
  overLimit!: boolean;

  @Field(() => Boolean, {
    description: 'Whether it takes back the quantities of the use with the same id.',
  })
  reversal!: boolean;

  @Field(() => String, { nullable: true, description: 'Why it was taken back.' })
  reason!: string | null;
}

export const UseConnection = connectionOf(Use, { entry: 'Use', one: 'use', many: 'uses' });

@ArgsType()
export class UsesArgs extends PageArgs {
  @Field(() => UsageFilter, { nullable: true, description: 'Which uses are meant; all by default.' })
  filter?: UsageFilter | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Uses from here on.' })
  from?: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Uses up to here (exclusive).' })
  to?: Date | null;
}

/** As answers show it. */
export function shownUse(use: RecordedUse, meters: readonly Meter[]): Use {
  const { id: useId, at, key, endpoint, method, operation, rootFields, source, status, refusal, phase } = use;
  return {
    useId,
    at: new Date(at),
    keyId: key === '' ? null : key,
    endpoint,
    method,
    operation: operation ?? (rootFields.join() || null),
    source,
    status: status as CallStatus,
    quantities: quantitiesIn(use, meters),
    durationMs: use.durationUs / 1000,
    properties: Object.entries(use.properties ?? {}).map(([name, value]) => ({ name, value })),
    refusalCode: refusal?.code ?? null,
    calls: String(refusal?.count ?? 1),
    late: use.late === true,
    overLimit: use.overLimit === true,
    reversal: phase === 'reversed',
    reason: use.reason ?? null,
  };
}
