import type { Clock } from '../clock.js';
import { byPolicy } from '../eventsourcing/policy.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { compositeKey } from '../eventsourcing/compositeKey.js';
import { contentHash } from '../eventsourcing/ids.js';
import { trialCardDecider } from './decideTrialCard.js';
import { TRIAL_USED, trialCardStream } from './events.js';
import type { Payments } from './payments.js';
import type { Snapshot } from './recordSubscription.js';
import type { BillingState } from './state.js';

interface TrialCardsOptions {
  readonly commands: CommandHandler;
  readonly payments: Payments;
  readonly clock: Clock;
}

/**
 * What Stripe says of a customer's subscriptions, once those are ended whose card has had its trial with another
 * account, or that no card pays: other ways to pay are as many as one likes. Done before anything of them is
 * recorded, so that no plan is in force for a moment.
 */
export async function subscriptionsOf(
  accountId: string,
  { paid, over }: BillingState,
  customer: string,
  { commands, payments, clock }: TrialCardsOptions,
): Promise<readonly Snapshot[]> {
  const isFirst = async (card: string): Promise<boolean> => {
    const used = await commands.handle(
      trialCardDecider,
      trialCardStream(contentHash(compositeKey(String(payments.live), card))),
      { accountId },
      byPolicy('billing', `trial:${accountId}`, { at: clock(), about: accountId }),
    );
    return used.kind === 'accepted';
  };
  const snapshots = await payments.subscriptions(customer);
  let ended = false;
  for (const { subscription, plan, status, card } of snapshots) {
    // One that is known has its trial rightly, and one to something else is none of our business.
    if (paid || plan === null || status !== 'trialing' || over.has(subscription) || card === undefined)
      continue;
    if (card !== null && (await isFirst(card))) continue;
    await payments.cancel(subscription, 'now', `tollgraph:trial-used:${subscription}`, TRIAL_USED);
    ended = true;
  }
  return ended ? payments.subscriptions(customer) : snapshots;
}
