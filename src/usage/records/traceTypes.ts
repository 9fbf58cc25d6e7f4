import 'reflect-metadata';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import { Sized } from '../../graphql/cost/directives.js';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { IdOf } from '../../graphql/kit/ids.js';
import { MeterQuantity } from '../limits/limitTypes.js';
import { MAX_QUANTITIES } from '../reservations/reservedAmounts.js';

@ObjectType({ simpleResolvers: true, description: 'What the journal has of a request.' })
export class TracedUse {
  @Field(() => String, {
    description:
      'As invoices and webhooks cite it; of the first record of a request it is the id of the request.',
  })
  useId!: string;

  @IdOf('Account')
  @Field(() => ID, { description: 'The account that paid.' })
  accountId!: string;

  @IdOf('Key')
  @Field(() => ID, { nullable: true, description: 'The key that called; null for a session.' })
  keyId!: string | null;

  @Field(() => DateTimeISO, { description: 'When it was taken from the limits, or refused.' })
  at!: Date;

  @Field(() => String, { description: 'The route, e.g. `/graphql`.' })
  endpoint!: string;

  @Field(() => String, { description: 'The method of HTTP, or `WEBSOCKET`.' })
  method!: string;

  @Field(() => String, { nullable: true, description: 'The name of the GraphQL operation.' })
  operation!: string | null;

  @Field(() => String, { description: 'What came of it: `ok`, `error`, `timeout` or `refused`.' })
  status!: string;

  @Field(() => Int, { description: 'How long it took, in milliseconds.' })
  durationMs!: number;

  @Sized({ assumedSize: MAX_QUANTITIES })
  @Field(() => [MeterQuantity], { description: 'What it spent.' })
  quantities!: MeterQuantity[];

  @Field(() => String, { nullable: true, description: 'Why it was refused, as in `Refusal.code`.' })
  refusalCode!: string | null;

  @Field(() => String, { nullable: true, description: 'The limit that has refused it.' })
  refusedBy!: string | null;

  @Field(() => Int, {
    description:
      'How many refusals this record stands for. Of a key, code and minute ten are recorded one by one, all others as one.',
  })
  count!: number;

  @Field(() => String, { description: 'Where it is stored: the id of its batch, and its place in it.' })
  record!: string;
}
