import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { COMMAND_ID } from '../../eventsourcing/commandId.js';
import { Sized } from '../../graphql/cost/directives.js';
import { IdOf } from '../../graphql/kit/ids.js';
import { Payload } from '../../graphql/kit/payload.js';
import { InvalidInput, NotFound } from '../../graphql/kit/refusals.js';
import { LimitStatus, LimitWindow } from './limitTypes.js';
import { MAX_STATES } from '../types.js';

@InputType({ description: 'Input for `operatorResetQuota`.' })
export class OperatorResetQuotaInput {
  @IdOf('Account')
  @Field(() => ID, { description: 'Whose limits count from zero.' })
  accountId!: string;

  @Field(() => LimitWindow, {
    description: 'DAY, MONTH or BILLING_PERIOD: limits over this window count from zero.',
  })
  window!: LimitWindow;

  @Field(() => String, {
    description: 'Why, 1 to 500 characters. It is kept for ever: no personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A quota that counts from zero.' })
export class OperatorResetQuotaPayload extends Payload {
  @IdOf('Account')
  @Field(() => ID, { description: 'Whose limits these are.' })
  accountId!: string;

  @Sized({ assumedSize: MAX_STATES })
  @Field(() => [LimitStatus], { description: 'Where the limits of the account’s plan stand now.' })
  limits!: LimitStatus[];
}

export const OperatorResetQuotaResult = createUnionType({
  name: 'OperatorResetQuotaResult',
  description: 'The limits after the reset, or why nothing was reset.',
  types: () => [OperatorResetQuotaPayload, NotFound, InvalidInput] as const,
});
