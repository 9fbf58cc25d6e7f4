import 'reflect-metadata';
import { GraphQLScalarType, Kind } from 'graphql';
import { createUnionType, Field, Float, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { COMMAND_ID } from '../../eventsourcing/commandId.js';
import { Sized } from '../../graphql/cost/directives.js';
import { JudgesItself } from '../../graphql/kit/judgesItself.js';
import { InvalidInput, Refusal } from '../../graphql/kit/refusals.js';
import { MetadataEntryInput } from '../../keys/types.js';
import { MAX_PROPERTIES, MAX_USES } from './reportedUse.js';
import { IdOf } from '../../graphql/kit/ids.js';
import { CallStatus } from '../types.js';

/**
 * What stands for a quantity in a use: taken as it comes, so that one which is none rejects its own use and not the
 * whole call.
 */
export const UncheckedQuantity = new GraphQLScalarType<unknown, unknown>({
  name: 'UncheckedQuantity',
  description:
    'Like `Quantity`: a whole number, or a decimal as a string, e.g. `"12.5"`. An invalid value rejects only its own use, not the whole request.',
  specifiedByURL: 'https://www.w3.org/TR/xmlschema11-2/#decimal',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node) =>
    node.kind === Kind.INT ? Number(node.value) : node.kind === Kind.STRING ? node.value : Number.NaN,
});

export enum UseStatus {
  ACCEPTED = 'ACCEPTED',
  PROVISIONAL = 'PROVISIONAL',
  LATE = 'LATE',
  OVER_LIMIT = 'OVER_LIMIT',
  DUPLICATE = 'DUPLICATE',
  REJECTED = 'REJECTED',
}
registerEnumType(UseStatus, {
  name: 'UseStatus',
  description: 'Result of a reported use. All except DUPLICATE and REJECTED are stored.',
  valuesConfig: {
    ACCEPTED: { description: 'Stored, and counted in the period in which it happened.' },
    PROVISIONAL: {
      description:
        'Stored. If another node has just stored a use with the same id, this one will not be counted.',
    },
    LATE: {
      description: 'Stored. The period in which it happened is closed, so it counts in the current one.',
    },
    OVER_LIMIT: { description: 'Stored and counted, although a limit was used up.' },
    DUPLICATE: { description: 'A use with this id and content is already stored. Not counted again.' },
    REJECTED: { description: 'Not stored. See `refusal`.' },
  },
});

@JudgesItself()
@InputType({
  description:
    'Something that a customer has used. Each use is checked on its own: a problem with one rejects only that one.',
})
export class UseInput {
  @Field(() => String, {
    nullable: true,
    description:
      'Required. Id of your own, 1 to 128 bytes, unique within the account. However often it is sent, the use counts once. Ids that customers report have at most 124 bytes, and are stored with `own.` before them.',
  })
  useId?: string | null;

  @IdOf('Key')
  @Field(() => String, {
    nullable: true,
    description: 'Id of the key that was used. This or `accountId` is required.',
  })
  keyId?: string | null;

  @IdOf('Account')
  @Field(() => String, {
    nullable: true,
    description: 'Id of the account that pays. Defaults to the key’s account.',
  })
  accountId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Required. The meter: `requests`, `cost`, or another meter of the service, e.g. `videos`.',
  })
  meter?: string | null;

  @Field(() => UncheckedQuantity, {
    nullable: true,
    description:
      'Amount in units of the meter, above 0; of the aggregations `max` and `latest` it may be 0, of `unique` only 1. Defaults to 1.',
  })
  quantity?: unknown;

  @Field(() => String, {
    nullable: true,
    description:
      'When it happened: RFC 3339 with a time zone, e.g. `2026-11-23T10:15:30Z`. Defaults to now. At most 5 minutes in the future.',
  })
  at?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Your own customer who used it, 1 to 200 characters. May be personal data: it is erased with the account.',
  })
  subject?: string | null;

  @Field(() => [MetadataEntryInput], {
    nullable: true,
    description: `Further labels, at most ${MAX_PROPERTIES}. Kept forever, so they must not contain personal data.`,
  })
  properties?: readonly MetadataEntryInput[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Of a call that your API has answered: its route, 1 to 200 characters, e.g. `/v1/data`. Reports group by it.',
  })
  endpoint?: string | null;

  @Field(() => String, { nullable: true, description: 'Its HTTP method, in capitals.' })
  method?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The data source of its answer, 1 to 200 characters. Reports group by it.',
  })
  source?: string | null;

  @Field(() => Float, {
    nullable: true,
    description: 'How long it took, in milliseconds, 0 to 86,400,000; more counts as so much.',
  })
  durationMs?: number | null;

  @Field(() => CallStatus, {
    nullable: true,
    description:
      'How it ended: OK, which is the default, ERROR or TIMEOUT. Its quantity counts all the same.',
  })
  status?: CallStatus | null;
}

@InputType({ description: 'Input for `recordUsage`.' })
export class RecordUsageInput {
  @Field(() => [UseInput], { description: `1 to ${MAX_USES} uses.` })
  uses!: UseInput[];

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}. Not required: a retry is recognised by the ids of its uses.`,
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'Result of one use.' })
export class UseResult {
  @Field(() => String, { nullable: true, description: 'Id of the use, as it was sent.' })
  useId!: string | null;

  @Field(() => UseStatus, { description: 'Whether it was stored, and how it counts.' })
  status!: UseStatus;

  @Field(() => Boolean, {
    description:
      'True if it was stored and counts in a later period than its own, which was closed; also where its status is OVER_LIMIT.',
  })
  late!: boolean;

  @Field(() => Refusal, { nullable: true, description: 'Why it was rejected; otherwise null.' })
  refusal!: Refusal | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'The results. Everything that was accepted is stored.',
})
export class RecordUsagePayload {
  @Sized({ assumedSize: MAX_USES })
  @Field(() => [UseResult], { description: 'One result per use, in the order in which they were sent.' })
  results!: UseResult[];

  @Field(() => Boolean, { description: 'True if nothing new was stored, that is, on a retry.' })
  replayed!: boolean;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

export const RecordUsageResult = createUnionType({
  name: 'RecordUsageResult',
  description: 'The result of each use, or the problem with the input as a whole.',
  types: () => [RecordUsagePayload, InvalidInput] as const,
});
