import { Arg, Args, Ctx, FieldResolver, Resolver } from 'type-graphql';
import type { AgreedPriceQueries } from '../../projections/agreedPrices/queries.js';
import { accountStream } from '../accounts/events.js';
import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { Sized } from '../graphql/cost/directives.js';
import { MEMBERS } from '../graphql/kit/access.js';
import { Command } from '../graphql/kit/command.js';
import type { RequestContext } from '../graphql/kit/context.js';
import type { Cursors } from '../graphql/kit/cursors.js';
import type { OperatorAction } from '../graphql/kit/operatorAction.js';
import type { Page } from '../graphql/kit/pages.js';
import { pageOf } from '../graphql/kit/pages.js';
import { payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound, refusalOf } from '../graphql/kit/refusals.js';
import { Operator } from '../operators/types.js';
import { subscriptionStream } from '../plans/events.js';
import type { Plan } from '../plans/planTypes.js';
import type { AgreedPrice } from './agreedTypes.js';
import {
  AgreedPriceConnection,
  agreedPriceOf,
  AgreedPricePage,
  OperatorAgreePriceInput,
  OperatorPricePayload,
  OperatorPriceResult,
  OperatorWithdrawPriceInput,
} from './agreedTypes.js';
import type { BillingCommand, PriceList } from './decide.js';
import { billingDecider } from './decide.js';
import type { Desk } from './resolvers.js';
import { BILLING_OFF } from './resolvers.js';
import type { Price } from './types.js';
import { priceOf } from './types.js';

/** Of a price's id: enough that no two accounts have the same. */
const ID_LENGTH = 16;

export interface AgreedPriceOptions {
  readonly commands: CommandHandler;
  readonly action: OperatorAction;
  readonly tokens: PositionTokens;
  /** Undefined where nobody takes payments. */
  readonly desk: Desk | undefined;
  readonly priceList: () => PriceList;
  readonly planOf: (id: string) => Plan;
}

/** What operators agree with one account. */
@Resolver()
export class AgreedPricesResolver {
  constructor(private readonly options: AgreedPriceOptions) {}

  @Command(() => OperatorPriceResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description:
      'Agrees a price of a plan with one account. The account subscribes at it with `startCheckout`, or changes to it with `changePlan`. For operators.',
  })
  async operatorAgreePrice(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorAgreePriceInput, { description: 'Input for `operatorAgreePrice`.' })
    input: OperatorAgreePriceInput,
  ): Promise<typeof OperatorPriceResult> {
    const { priceList, planOf } = this.options;
    const acting = this.options.action(context, input, 'operatorAgreePrice');
    if (acting instanceof InvalidInput) return acting;
    const { accountId, planId: plan, interval, minorUnits: amount } = input;
    const currency = input.currency.toLowerCase();
    const unique = derivedId('agreed-price', accountId, acting.caller, acting.commandId).replaceAll('-', '');
    const price = `${plan}-${interval}-${currency}-${unique.slice(0, ID_LENGTH)}`;
    const terms = { price, plan, interval, amount, currency };
    const command = { type: 'AgreePrice', ...terms, ...priceList(), by: acting.caller } as const;
    return this.#act(accountId, acting, command, () =>
      priceOf({ id: price, interval, amount, currency }, planOf(plan)),
    );
  }

  @Command(() => OperatorPriceResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description:
      'Withdraws a price that was agreed with an account. A subscription that pays it keeps it; a checkout that is open for it is closed. For operators.',
  })
  async operatorWithdrawPrice(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorWithdrawPriceInput, { description: 'Input for `operatorWithdrawPrice`.' })
    input: OperatorWithdrawPriceInput,
  ): Promise<typeof OperatorPriceResult> {
    const acting = this.options.action(context, input, 'operatorWithdrawPrice');
    if (acting instanceof InvalidInput) return acting;
    const command = { type: 'WithdrawPrice', price: input.priceId, by: acting.caller } as const;
    return this.#act(input.accountId, acting, command, () => null);
  }

  async #act(
    accountId: string,
    acting: CommandContext,
    command: BillingCommand,
    price: () => Price | null,
  ): Promise<typeof OperatorPriceResult> {
    const { commands, tokens, desk } = this.options;
    if (!desk) return refusalOf(BILLING_OFF, 'NotAllowed');
    const last = (await commands.load(accountStream(accountId))).at(-1);
    if (!last || last.type === 'AccountDeleted') return new NotFound('There is no account with this id.');
    const result = await commands.handle(billingDecider, subscriptionStream(accountId), command, acting);
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound');
    // Should Stripe not answer now, the page is closed later.
    const closed = result.events.some(
      ({ type, data }) => type === 'AgreedPriceWithdrawn' && data.checkoutId !== null,
    );
    if (closed) await desk.billing.settle(accountId);
    const position = tokens.encode(result.position);
    return payload(OperatorPricePayload, { accountId, price: price(), replayed: result.replayed, position });
  }
}

const LIST = 'agreed-prices';

@Resolver(() => Operator)
export class OperatorAgreedPricesResolver {
  constructor(
    private readonly queries: AgreedPriceQueries,
    private readonly cursors: Cursors,
    private readonly planOf: (id: string) => Plan,
  ) {}

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => AgreedPriceConnection, {
    nullable: true,
    description:
      'Prices agreed with accounts (`operatorAgreePrice`), newest first. What an account pays is in its `subscription`.',
  })
  async agreedPrices(
    @Args(() => AgreedPricePage) { first, after, filter }: AgreedPricePage,
  ): Promise<Page<AgreedPrice>> {
    const { queries, cursors } = this;
    const place = cursors.after(LIST, after);
    const { accountId, withdrawn } = filter ?? {};
    const wanted = { accountId: accountId ?? undefined, withdrawn: withdrawn ?? undefined };
    const rows = await queries.page(wanted, first + 1, place && Number(place[0]));
    return pageOf(
      cursors,
      LIST,
      rows,
      { first, after },
      ({ position }) => [String(position)],
      (row) => agreedPriceOf(row, this.planOf(row.plan)),
    );
  }
}
