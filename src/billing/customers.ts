import { validate as isUuid } from 'uuid';
import type { AccountBilling } from './accountBilling.js';
import type { Payments } from './payments.js';

export interface CustomersOptions {
  readonly subscriptions: { accountOf(customer: string): Promise<string | undefined> };
  readonly payments: Pick<Payments, 'accountOf'>;
  readonly billing: Pick<AccountBilling, 'state'>;
}

/** @returns the account here that a customer belongs to; undefined for one of somebody else's */
export type AccountOfCustomer = (customer: string) => Promise<string | undefined>;

/**
 * What is written on a customer is not enough: another installation on the same account at the payment service
 * writes its own accounts there, in the same words. The account has to have this customer, or to wait for one.
 */
export const accountOfCustomer =
  ({ subscriptions, payments, billing }: CustomersOptions): AccountOfCustomer =>
  async (customer) => {
    const known = await subscriptions.accountOf(customer);
    if (known !== undefined) return known;
    const named = await payments.accountOf(customer);
    if (named === undefined || !isUuid(named)) return undefined;
    const { customer: own, customerAsked } = await billing.state(named);
    return own === customer || (own === undefined && customerAsked) ? named : undefined;
  };
