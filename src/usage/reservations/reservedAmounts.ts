import type { Refusal } from '../../eventsourcing/decider.js';
import type { Meter } from '../../plans/meters.js';
import { amountOf, isLimitable, MAX_USE_AMOUNT, quantityOf } from '../../plans/meters.js';
import type { LimitCode } from '../limits/headers.js';
import type { MeterAmounts } from '../limits/limiter.js';

export const MAX_QUANTITIES = 20;
/** A day. */
export const MAX_RESERVED_SECONDS = 86_400;

/** Amounts of meters by their names, each once; or what is wrong with them. Names are no one's prototype. */
export function amountsIn(
  given: readonly { readonly meter: string; readonly quantity: string }[],
  meters: readonly Meter[],
  field = 'quantities',
): { readonly amounts: MeterAmounts } | Refusal {
  const refused = (message: string): Refusal => ({ code: 'INVALID_INPUT', message, field });
  if (given.length > MAX_QUANTITIES) return refused(`There may be at most ${MAX_QUANTITIES} quantities.`);
  const amounts = new Map<string, number>();
  for (const { meter: id, quantity } of given) {
    const meter = meters.find((one) => one.id === id);
    if (!meter || !isLimitable(meter)) {
      const all = meters.filter(isLimitable).map((one) => one.id);
      return refused(`There is no meter of this name to spend from. There are: ${all.join(', ')}.`);
    }
    if (amounts.has(id)) return refused(`There are two quantities of ${id}.`);
    const amount = amountOf(quantity, meter);
    if (amount === undefined) {
      return refused(
        `A quantity of ${id} may have at most ${meter.decimals} decimals, and be at most ${quantityOf(MAX_USE_AMOUNT, meter.decimals)}.`,
      );
    }
    amounts.set(id, amount);
  }
  return { amounts: Object.fromEntries(amounts) };
}

const SENTENCES: Readonly<Record<LimitCode, string>> = {
  RATE_LIMITED: 'A limit by the minute or hour is used up.',
  QUOTA_EXCEEDED: 'The quota of this period is used up.',
  QUERY_COST_EXCEEDED: 'This is more than the limit allows at once.',
};

/** Why a limit refuses, and when to come back. */
export function sentenceOf(refused: {
  readonly code: LimitCode;
  readonly retryAfterMs: number | undefined;
}): string {
  const { code, retryAfterMs } = refused;
  const sentence = SENTENCES[code];
  return retryAfterMs === undefined
    ? sentence
    : `${sentence} Try again in ${Math.ceil(retryAfterMs / 1000)} seconds.`;
}
