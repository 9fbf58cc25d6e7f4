import { ApiError } from './errors.js';
import type { DeclineName } from './rules/cards.js';

/** What goes wrong with the delivery of an event. */
export type DeliveryFault =
  'delayed' | 'dropped' | 'duplicated' | 'old_signature' | 'reordered' | 'wrong_signature';

export interface CallFault {
  /** Of what is called, e.g. `POST` and a part of the path; all where they are left out. */
  readonly method?: string;
  readonly path?: string;
  /** 500, or another status of Stripe's: 429, 503. */
  readonly status?: number;
  /** Whether it fails once everything was done, so that the answer alone is lost. */
  readonly after?: boolean;
}

interface Planned<F> {
  fault: F;
  times: number;
}

/** Faults that were asked for, each for so many times. They are kept in memory alone. */
export class Faults {
  readonly #calls: Planned<CallFault>[] = [];
  readonly #deliveries: Planned<{ fault: DeliveryFault; type: string | undefined }>[] = [];
  readonly #declines: Planned<{ decline: DeclineName; customer: string | undefined }>[] = [];

  readonly #alterations: Planned<{ by: number }>[] = [];

  /** The next calls fail. */
  failCalls(fault: CallFault = {}, times = 1): void {
    this.#calls.push({ fault, times });
  }

  /** The next deliveries go wrong; of one type of event, where that is given. */
  disturbDeliveries(fault: DeliveryFault, times = 1, type?: string): void {
    this.#deliveries.push({ fault: { fault, type }, times });
  }

  /** The next charges are declined; those of one customer, where that is given. */
  declineCharges(decline: DeclineName = 'generic_decline', times = 1, customer?: string): void {
    this.#declines.push({ fault: { decline, customer }, times });
  }

  /** The next invoices that are finalised bill so much more than they should, in minor units. */
  alterInvoices(by: number, times = 1): void {
    this.#alterations.push({ fault: { by }, times });
  }

  clear(): void {
    this.#calls.length = this.#deliveries.length = this.#declines.length = this.#alterations.length = 0;
  }

  before(method: string, url: string): void {
    this.#call(method, url, false);
  }

  after(method: string, url: string): void {
    this.#call(method, url, true);
  }

  alteration(): number {
    return take(this.#alterations, () => true)?.by ?? 0;
  }

  delivery(type: string): DeliveryFault | undefined {
    return take(this.#deliveries, (one) => one.type === undefined || one.type === type)?.fault;
  }

  decline(customer: string | null): DeclineName | undefined {
    return take(this.#declines, (one) => one.customer === undefined || one.customer === customer)?.decline;
  }

  #call(method: string, url: string, after: boolean): void {
    const fault = take(
      this.#calls,
      (one) =>
        (one.after ?? false) === after &&
        (one.method ?? method) === method &&
        (one.path === undefined || url.includes(one.path)),
    );
    if (!fault) return;
    throw new ApiError(fault.status ?? 500, {
      type: 'api_error',
      message: 'The sandbox was asked to fail here.',
      ...(fault.status === 429 && { code: 'rate_limit' }),
    });
  }
}

function take<F>(planned: Planned<F>[], fits: (fault: F) => boolean): F | undefined {
  const index = planned.findIndex(({ fault }) => fits(fault));
  const found = planned[index];
  if (!found) return undefined;
  if (--found.times <= 0) planned.splice(index, 1);
  return found.fault;
}
