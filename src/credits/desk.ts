import { randomUUID } from 'node:crypto';
import { accountStream } from '../accounts/events.js';
import { retryStale } from '../eventsourcing/retryStale.js';
import type { DisputedCredits } from '../disputes/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { CommandResult } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { Profile } from '../plans/profile.js';
import { usageTermsOf } from '../plans/profile.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { monthsAfter } from '../usage/limits/periods.js';
import type { CreditCommand } from './decide.js';
import { creditDecider } from './decide.js';
import type { CreditEvent, PurchaseEnd, UseSoFar } from './events.js';
import { creditStream } from './events.js';
import type { CreditPayments, PackCheckout } from './payments.js';
import type { CreditState, Grant, Purchase } from './state.js';
import { availableOf, judgedKey, toppedUpIn } from './state.js';

const DAY_MS = 86_400_000;
/** Whoever asked for a checkout has left by then. */
const CHECKOUT_LIVES_MS = 20 * 3_600_000;

/** Units of overage that credits have paid, by meter and part of a period. */
export type PaidUnits = (meter: string, part: string) => number;

export interface CreditDeskOptions {
  readonly commands: CommandHandler;
  /** Undefined where nobody takes payments. */
  readonly payments: CreditPayments | undefined;
  /** Whether an error says that the payment service has refused for good; its code. */
  readonly refusedBy: (error: unknown) => string | undefined;
  /** The account's customer at the payment service, made where there is none yet. */
  readonly customerOf: (accountId: string) => Promise<string>;
  /** What credits may pay for in the periods that are open. */
  readonly open: (accountId: string) => Promise<UseSoFar>;
  readonly profile: () => Profile;
  readonly returnUrl: string;
  /** By which is billed, in milliseconds. */
  readonly now: () => number;
  readonly clock: () => number;
}

/** Spends, sells and takes back credits. All of it can be done again at any time. */
export class CreditDesk {
  constructor(private readonly options: CreditDeskOptions) {}

  async state(accountId: string): Promise<CreditState> {
    return fold(creditDecider, await this.options.commands.load(creditStream(accountId)));
  }

  /** Pays for what was used, as far as there are credits. */
  readonly draw = async (accountId: string, soFar: UseSoFar): Promise<PaidUnits> => {
    const before = await this.state(accountId);
    if (before.grants.size === 0) return () => 0;
    await this.send(accountId, { type: 'DrawCredits', soFar }, `draw:${randomUUID()}`);
    return paidUnits(await this.state(accountId));
  };

  /** What credits would have paid by now, storing nothing. */
  readonly peek = async (accountId: string, soFar: UseSoFar): Promise<PaidUnits> =>
    paidUnits(drawn(await this.state(accountId), soFar));

  /** How the account stands now, with what was used since the last draw. */
  async standing(accountId: string): Promise<CreditState> {
    const state = await this.state(accountId);
    return state.grants.size === 0 ? state : drawn(state, await this.options.open(accountId));
  }

  /** What was used so far: commands that change the balance look at it first. */
  open(accountId: string): Promise<UseSoFar> {
    return this.options.open(accountId);
  }

  /** Whether there are so many credits now. */
  async covers(accountId: string, amount: number): Promise<boolean> {
    const { grants, debt } = await this.standing(accountId);
    const now = new Date(this.options.now()).toISOString();
    const good = [...grants.values()].filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
    return availableOf({ grants: new Map(good.map((one) => [one.id, one])), debt }) >= amount;
  }

  /** Pays for one thing, once under its name. @returns whether there were enough credits */
  async spend(accountId: string, purpose: string, amount: number): Promise<boolean> {
    const soFar = await this.options.open(accountId);
    const command: CreditCommand = { type: 'SpendCredits', purpose, amount, soFar };
    const spent = await this.send(accountId, command, `spend:${randomUUID()}`);
    return spent.kind === 'accepted';
  }

  /** Gives back what was spent under a name; again it changes nothing. */
  async giveBack(accountId: string, purpose: string): Promise<void> {
    const soFar = await this.options.open(accountId);
    await this.send(accountId, { type: 'ReturnCredits', purpose, soFar }, `return:${randomUUID()}`);
  }

  async expire(accountId: string): Promise<void> {
    const soFar = await this.options.open(accountId);
    const closeAfterMs = usageTermsOf(this.options.profile()).closeAfterSeconds * 1000;
    await this.send(accountId, { type: 'ExpireCredits', soFar, closeAfterMs }, `expire:${randomUUID()}`);
  }

  /** Does at the payment service what was asked for, and records what came of it. */
  async settle(accountId: string): Promise<void> {
    const { payments } = this.options;
    if (!payments) return;
    const state = await this.state(accountId);
    for (const purchase of state.purchases.values()) await this.#purchase(accountId, purchase, payments);
    for (const grant of state.grants.values()) {
      if (grant.refundAsked) await this.#refund(accountId, grant, payments);
    }
  }

  /** Asks for more credits where the account wants that and few are left, and pays for them. */
  async topUp(accountId: string): Promise<void> {
    const { payments, profile, now } = this.options;
    if (!payments) return;
    const state = await this.state(accountId);
    if (!state.topUp || state.topUp.stopped) return;
    const month = new Date(now()).toISOString().slice(0, 7);
    const purchaseId = derivedId('top-up', accountId, month, String(toppedUpIn(state, month)));
    const soFar = await this.options.open(accountId);
    const packs = profile().credits?.packs ?? [];
    const command: CreditCommand = { type: 'TopUp', purchaseId, month, packs, soFar };
    const asked = await this.send(accountId, command, `top-up:${randomUUID()}`);
    // What was asked for before a crash is listed among the purchases that wait.
    if (asked.kind === 'accepted' && asked.events.length > 0) await this.settle(accountId);
  }

  /**
   * Takes back what was bought by a payment that somebody has paid back at the payment service, or a part of it;
   * gives it back where that has failed since.
   */
  async followRefund(accountId: string, charge: string): Promise<void> {
    const { payments } = this.options;
    if (!payments) return;
    await retryStale(async () => {
      const before = [...(await this.state(accountId)).grants.values()];
      if (!before.some(({ payment }) => payment !== null)) return { kind: 'accepted' };
      const { payment, ...refunded } = await payments.refunded(charge);
      const grant = before.find((one) => payment !== null && one.payment === payment);
      if (!grant || refunded.amount === grant.paidBack) return { kind: 'accepted' };
      const { id: grantId, paidBack, reversals } = grant;
      const soFar = await this.options.open(accountId);
      const asOf = { paidBack, reversals };
      const command: CreditCommand = { type: 'RecordRefund', grantId, refunded, asOf, soFar };
      return this.send(accountId, command, `follow-refund:${randomUUID()}`);
    });
  }

  /** Takes back what was bought by a payment that is disputed, or gives it back once that is won. */
  async followDispute(
    accountId: string,
    { dispute, payment, amount: disputed, status }: DisputedCredits,
  ): Promise<void> {
    const ofPayment = async () =>
      [...(await this.state(accountId)).grants.values()].find((one) => one.payment === payment);
    let grant = await ofPayment();
    if (!grant) {
      // It was paid a moment ago: what it has bought is granted first.
      await this.settle(accountId);
      grant = await ofPayment();
    }
    if (!grant) return;
    const { id: grantId } = grant;
    const soFar = await this.options.open(accountId);
    await this.send(
      accountId,
      { type: 'WithdrawCredits', grantId, dispute, disputed, soFar },
      `withdraw:${dispute}`,
    );
    if (status !== 'won') return;
    await this.send(accountId, { type: 'ReinstateCredits', grantId, dispute, soFar }, `reinstate:${dispute}`);
  }

  /** For people, what a purchase has brought; undefined before it is granted. */
  async granted(accountId: string, purchaseId: string): Promise<string | undefined> {
    const grant = (await this.state(accountId)).grants.get(purchaseId);
    return grant && `${grant.amount.toLocaleString('en-US')} credits`;
  }

  /** The page of a purchase; undefined where the payment service has refused it. */
  async checkout(accountId: string, purchaseId: string): Promise<PackCheckout | undefined> {
    const session = (await this.state(accountId)).purchases.get(purchaseId)?.session;
    return session === undefined ? undefined : this.options.payments?.checkout(session);
  }

  async #purchase(accountId: string, purchase: Purchase, payments: CreditPayments): Promise<void> {
    const { id: purchaseId } = purchase;
    const end = (how: 'expired' | 'failed') => this.#end(accountId, purchaseId, how);
    if (purchase.automatic) {
      const payment = (await this.#isDeleted(accountId))
        ? await payments.charged({ customer: await this.options.customerOf(accountId), purchase })
        : await this.#charge(accountId, purchase, payments);
      if (payment === undefined) await end('failed');
      else if (payment !== null) await this.#paid(accountId, purchase, payment, payments);
      return;
    }
    if (purchase.session === undefined) {
      const history = await this.options.commands.load(creditStream(accountId));
      const asked = history.find((stored) => {
        const { type, data } = as<CreditEvent>(stored);
        return type === 'CreditPurchaseRequested' && data.purchaseId === purchaseId;
      });
      if (asked && this.options.clock() - Date.parse(asked.metadata.at) > CHECKOUT_LIVES_MS) {
        await end('failed');
        return;
      }
      const customer = await this.options.customerOf(accountId);
      const name = this.#nameOf(purchase);
      const { returnUrl } = this.options;
      try {
        const { session } = await payments.open(
          { accountId, customer, purchase, name, returnUrl },
          `tollgraph:credits:${purchaseId}`,
        );
        const command: CreditCommand = { type: 'RecordPurchase', purchaseId, session };
        await this.send(accountId, command, `purchase:${purchaseId}`);
      } catch (error) {
        if (this.options.refusedBy(error) === undefined) throw error;
        await end('failed');
      }
      return;
    }
    const { status, payment, failed } = (await this.#isDeleted(accountId))
      ? await payments.expire(purchase.session, `tollgraph:expire:${purchaseId}`)
      : await payments.checkout(purchase.session);
    if (status === 'expired') await end('expired');
    if (failed) await end('failed');
    if (status !== 'complete' || payment === null) return;
    await this.#paid(accountId, purchase, payment, payments);
  }

  /** Grants what was paid. A deleted account uses no credits: it has the money back. */
  async #paid(
    accountId: string,
    purchase: Purchase,
    payment: string,
    payments: CreditPayments,
  ): Promise<void> {
    if (!(await this.#isDeleted(accountId))) return this.#grant(accountId, purchase, payment);
    await payments.refund(payment, `tollgraph:refund:${purchase.id}`);
    await this.#end(accountId, purchase.id, 'refunded');
  }

  async #end(accountId: string, purchaseId: string, how: PurchaseEnd): Promise<void> {
    await this.send(accountId, { type: 'EndPurchase', purchaseId, how }, `end-purchase:${purchaseId}`);
  }

  /** Nobody pays for a deleted account: what it has asked for before is not charged any more. */
  async #isDeleted(accountId: string): Promise<boolean> {
    const history = await this.options.commands.load(accountStream(accountId));
    return history.at(-1)?.type === 'AccountDeleted';
  }

  #nameOf({ pack, credits }: Purchase): string {
    const packs = this.options.profile().credits?.packs ?? [];
    return packs.find(({ id }) => id === pack)?.name ?? `${credits} credits`;
  }

  /** @returns the payment, null while it is not known whether it succeeds, undefined where it is refused */
  async #charge(
    accountId: string,
    purchase: Purchase,
    payments: CreditPayments,
  ): Promise<string | null | undefined> {
    const customer = await this.options.customerOf(accountId);
    try {
      const name = this.#nameOf(purchase);
      return await payments.charge(
        { accountId, customer, purchase, name },
        `tollgraph:credits:${purchase.id}`,
      );
    } catch (error) {
      if (this.options.refusedBy(error) === undefined) throw error;
      return undefined;
    }
  }

  async #grant(accountId: string, purchase: Purchase, payment: string): Promise<void> {
    const { id: purchaseId, credits, months, amount, currency } = purchase;
    const soFar = await this.options.open(accountId);
    await this.send(
      accountId,
      {
        type: 'GrantCredits',
        grantId: purchaseId,
        amount: credits,
        expiresAt: midnightAfter(this.options.now(), months),
        priority: 0,
        source: 'purchase',
        paid: { amount, currency },
        payment,
        by: 'policy:credits',
        soFar,
      },
      `granted:${purchaseId}`,
    );
  }

  async #refund(accountId: string, grant: Grant, payments: CreditPayments): Promise<void> {
    const { id: grantId, payment } = grant;
    if (payment === null) return;
    try {
      const refunded = await payments.refund(payment, `tollgraph:refund:${again(grant)}`);
      const soFar = await this.options.open(accountId);
      const command: CreditCommand = { type: 'RecordRefund', grantId, refunded, soFar };
      await this.send(accountId, command, `refunded:${again(grant)}`);
    } catch (error) {
      const code = this.options.refusedBy(error);
      if (code === undefined) throw error;
      await this.send(accountId, { type: 'FailRefund', grantId, code }, `refund-failed:${randomUUID()}`);
    }
  }

  private send(
    accountId: string,
    command: CreditCommand,
    commandId: string,
  ): Promise<CommandResult<CreditEvent>> {
    const { commands, clock } = this.options;
    const context = byPolicy('credits', commandId, { at: clock(), about: accountId });
    return commands.handle(creditDecider, creditStream(accountId), command, context);
  }
}

/** Names what is paid back for a grant: once more after that has failed, it is something else. */
const again = ({ id, reversals }: Grant): string => (reversals === 0 ? id : `${id}:${reversals}`);

const paidUnits =
  ({ judged }: CreditState): PaidUnits =>
  (meter, part) =>
    judged.get(judgedKey(meter, part))?.paid ?? 0;

/** As it would stand once what was used is paid. */
function drawn(state: CreditState, soFar: UseSoFar): CreditState {
  const decision = creditDecider.decide(state, { type: 'DrawCredits', soFar });
  return decision.kind === 'accepted'
    ? decision.events.reduce((now, event) => creditDecider.evolve(now, event), state)
    : state;
}

/** The first midnight of UTC that is at least so many months ahead. */
export const midnightAfter = (now: number, months: number): string =>
  new Date((Math.floor(monthsAfter(now, months) / DAY_MS) + 1) * DAY_MS).toISOString();
