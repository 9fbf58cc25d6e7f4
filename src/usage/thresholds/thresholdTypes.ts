import 'reflect-metadata';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { IdOf } from '../../graphql/kit/ids.js';
import { connectionOf } from '../../graphql/kit/pages.js';
import { Quantity } from '../../graphql/kit/quantity.js';
import { LimitSource, LimitWindow } from '../limits/limitTypes.js';

@ObjectType({ simpleResolvers: true, description: 'A part of a limit that usage has reached.' })
export class UsageThreshold {
  @Field(() => String, { description: 'The name of the limit, as in `LimitStatus.name`.' })
  limit!: string;

  @Field(() => ID, { description: 'The meter that it limits.' })
  meter!: string;

  @Field(() => LimitWindow, { description: 'The time over which it counts.' })
  window!: LimitWindow;

  @Field(() => LimitSource, { description: 'Where it comes from.' })
  source!: LimitSource;

  @IdOf('Key')
  @Field(() => ID, { nullable: true, description: 'The key whose limit it is; null for one of the plan.' })
  keyId!: string | null;

  @Field(() => Int, { description: 'How much of the limit, in percent.' })
  percent!: number;

  @Field(() => Quantity, { description: 'The limit, in units of the meter.' })
  max!: string;

  @Field(() => Quantity, { description: 'What was used then, in units of the meter.' })
  used!: string;

  @Field(() => DateTimeISO, { description: 'When it was reached.' })
  reachedAt!: Date;
}

export const UsageThresholdConnection = connectionOf(UsageThreshold, {
  entry: 'UsageThreshold',
  one: 'threshold that was reached',
  many: 'thresholds that were reached',
});
