import 'reflect-metadata';
import { GraphQLScalarType, Kind } from 'graphql';
import { createUnionType, Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Sized } from '../graphql/cost/directives.js';
import { JudgesItself } from '../graphql/kit/judgesItself.js';
import { InvalidInput, Refusal } from '../graphql/kit/refusals.js';
import { MetadataEntryInput } from '../keys/types.js';
import { MAX_PROPERTIES, MAX_USES } from './reportedUse.js';
import { IdOf } from '../graphql/kit/ids.js';

/**
 * What stands for a quantity in a use: taken as it comes, so that one which is none rejects its own use and not the
 * whole call.
 */
export const UncheckedQuantity = new GraphQLScalarType<unknown, unknown>({
  name: 'UncheckedQuantity',
  description:
    'As `Quantity`: a whole number, or a decimal in a string like `"12.5"`. It is checked with its use, and what is no quantity rejects that use alone.',
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
  description: 'What became of a use that was reported. All but DUPLICATE and REJECTED are stored.',
  valuesConfig: {
    ACCEPTED: { description: 'Stored, in the period of its time.' },
    PROVISIONAL: {
      description:
        'Stored. Whether another process has stored a use with this id a moment ago shows soon; if so, this one counts nothing.',
    },
    LATE: { description: 'Stored. A period of its time is closed, and it counts in the present one.' },
    OVER_LIMIT: { description: 'Stored. A limit was used up; it counts all the same.' },
    DUPLICATE: { description: 'A use with this id and content is stored already. This one counts nothing.' },
    REJECTED: { description: 'Not stored. See `refusal`.' },
  },
});

@JudgesItself()
@InputType({
  description:
    'Something that a customer has used. Each use is checked by itself; what is wrong with one rejects that one alone.',
})
export class UseInput {
  @Field(() => String, {
    nullable: true,
    description:
      'Required. An id of your own, 1 to 128 bytes, unique in the account: sent again, the use counts once, for ever.',
  })
  useId?: string | null;

  @IdOf('Key')
  @Field(() => String, {
    nullable: true,
    description: 'The key that was used. This or `accountId` is required.',
  })
  keyId?: string | null;

  @IdOf('Account')
  @Field(() => String, { nullable: true, description: 'The account that pays; by default that of the key.' })
  accountId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Required. The meter: `requests`, `cost`, or another that the service declares.',
  })
  meter?: string | null;

  @Field(() => UncheckedQuantity, {
    nullable: true,
    description: 'How much, above 0, in units of the meter; by default 1.',
  })
  quantity?: unknown;

  @Field(() => String, {
    nullable: true,
    description:
      'When, in RFC 3339 with a zone; by default now. At most five minutes in the future, and as old as the service takes uses.',
  })
  at?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Your own customer who used it, 1 to 200 characters. It may be personal: it is erased with the account.',
  })
  subject?: string | null;

  @Field(() => [MetadataEntryInput], {
    nullable: true,
    description: `What else is to be said of it, at most ${MAX_PROPERTIES}. No personal data: it is kept for ever.`,
  })
  properties?: readonly MetadataEntryInput[] | null;
}

@InputType({ description: 'Input for `recordUsage`.' })
export class RecordUsageInput {
  @Field(() => [UseInput], { description: `1 to ${MAX_USES} uses.` })
  uses!: UseInput[];

  @Field(() => String, {
    nullable: true,
    description: `${COMMAND_ID}. A retry is told by the ids of its uses, with it or without`,
  })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'What became of one use.' })
export class UseResult {
  @Field(() => String, { nullable: true, description: 'Its id, as it was sent.' })
  useId!: string | null;

  @Field(() => UseStatus, { description: 'What became of it.' })
  status!: UseStatus;

  @Field(() => Refusal, { nullable: true, description: 'Why it was rejected.' })
  refusal!: Refusal | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'What became of the uses. All that was accepted is stored.',
})
export class RecordUsagePayload {
  @Sized({ assumedSize: MAX_USES })
  @Field(() => [UseResult], { description: 'One for each use, in the order in which they were sent.' })
  results!: UseResult[];

  @Field(() => Boolean, { description: 'True if nothing new was stored.' })
  replayed!: boolean;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

export const RecordUsageResult = createUnionType({
  name: 'RecordUsageResult',
  description: 'What became of the uses, or why none was looked at.',
  types: () => [RecordUsagePayload, InvalidInput] as const,
});
