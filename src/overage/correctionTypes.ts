import 'reflect-metadata';
import { Field, ID, ObjectType } from 'type-graphql';
import type { CorrectionRow } from '../../projections/overage/queries.js';
import { Period } from '../billing/types.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Money, moneyOf } from '../graphql/kit/money.js';
import { connectionOf } from '../graphql/kit/pages.js';

/** So many of each are shown of one correction. */
const MAX_SHOWN = 20;

@ObjectType({
  simpleResolvers: true,
  description:
    'A correction of usage whose billing period was invoiced, after the subscription has ended: no invoice follows that could have it.',
})
export class OverageCorrection {
  @IdOf('Account')
  @Field(() => ID, { description: 'The billed account.' })
  accountId!: string;

  @Field(() => DateTimeISO, { description: 'When it was calculated.' })
  correctedAt!: Date;

  @Field(() => Money, {
    description: 'What it comes to before tax: negative if money goes back to the account.',
  })
  total!: Money;

  @Sized({ assumedSize: MAX_SHOWN })
  @Field(() => [Period], { description: `The corrected billing periods, at most ${MAX_SHOWN}.` })
  periods!: readonly Period[];

  @Sized({ assumedSize: MAX_SHOWN })
  @Field(() => [ID], {
    description: `Ids of events from which it was calculated, at most ${MAX_SHOWN}, e.g. of \`correctUsage\`.`,
  })
  eventIds!: readonly string[];

  @Field(() => ID, { nullable: true, description: 'The invoice that charges it. Null if none does.' })
  invoiceId!: string | null;

  @Sized({ assumedSize: MAX_SHOWN })
  @Field(() => [String], {
    description: `Credit notes of the payment service that give money back, e.g. \`cn_1…\`, at most ${MAX_SHOWN}.`,
  })
  creditNotes!: readonly string[];

  @Field(() => Money, {
    nullable: true,
    description:
      'What no invoice could give back, before tax. It lowers the next invoice; if the account stays away, pay it back at the payment service. Null until the payment service has answered.',
  })
  owed!: Money | null;
}

export const OverageCorrectionConnection = connectionOf(OverageCorrection, {
  entry: 'OverageCorrection',
  one: 'correction',
  many: 'corrections',
});

export function correctionOf(row: CorrectionRow): OverageCorrection {
  const { account_id: accountId, currency, lines, owed } = row;
  const events = new Set(lines.flatMap(({ events }) => events));
  return Object.assign(new OverageCorrection(), {
    accountId,
    correctedAt: new Date(row.corrected_at),
    total: moneyOf({ amount: row.total, currency }),
    periods: lines
      .slice(0, MAX_SHOWN)
      .map(({ from, to }) => Object.assign(new Period(), { from: new Date(from), to: new Date(to) })),
    eventIds: [...events].slice(-MAX_SHOWN),
    invoiceId: row.invoice,
    creditNotes: (row.credit_notes ?? []).slice(0, MAX_SHOWN),
    owed: owed === null ? null : moneyOf({ amount: owed, currency }),
  });
}
