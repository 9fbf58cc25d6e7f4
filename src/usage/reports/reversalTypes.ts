import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../../eventsourcing/commandId.js';
import { Sized } from '../../graphql/cost/directives.js';
import { IdOf } from '../../graphql/kit/ids.js';
import { Payload } from '../../graphql/kit/payload.js';
import { Conflict, InvalidInput, NotFound } from '../../graphql/kit/refusals.js';
import { MeterQuantity } from '../limits/limitTypes.js';
import { MAX_QUANTITIES } from '../reservations/reservedAmounts.js';

@InputType({ description: 'Input for `correctUsage`.' })
export class CorrectUsageInput {
  @Field(() => String, {
    description: 'The id of the use, as `account.uses` shows it, or of the reservation that was settled.',
  })
  useId!: string;

  @IdOf('Account')
  @Field(() => ID, { description: 'The account that paid.' })
  accountId!: string;

  @Field(() => String, {
    description: 'Why, 1 to 500 characters. It is kept for ever: no personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The use counts no more. Its record stays.' })
export class CorrectUsagePayload extends Payload {
  @Field(() => String, { description: 'The use, as the input has named it.' })
  useId!: string;

  @IdOf('Account')
  @Field(() => ID, { description: 'The account that paid.' })
  accountId!: string;

  @Sized({ assumedSize: MAX_QUANTITIES })
  @Field(() => [MeterQuantity], { description: 'What was taken back, of the periods in which it counted.' })
  reversed!: MeterQuantity[];
}

export const CorrectUsageResult = createUnionType({
  name: 'CorrectUsageResult',
  description: 'What was taken back, or why nothing was.',
  types: () => [CorrectUsagePayload, NotFound, Conflict, InvalidInput] as const,
});
