import type { MeterEvent, Price } from '../objects.js';
import type { Seconds } from '../rules/time.js';
import type { Unit } from '../unit.js';

/**
 * What a customer has used of the meter of a price from one moment to another, by the times that the
 * events themselves give. Never below 0, and whole.
 */
export function usageOf(unit: Unit, price: Price, customer: string, from: Seconds, to: Seconds): number {
  const id = price.recurring?.meter;
  if (id == null) return 0;
  const meter = unit.get('billing.meter', id);
  const events = unit.filter(
    'billing.meter_event',
    (event) =>
      event.meter === id &&
      event.customer === customer &&
      !event.cancelled &&
      event.timestamp >= from &&
      event.timestamp < to,
  );
  return Math.max(0, aggregate(events, meter.default_aggregation.formula));
}

export function aggregate(events: readonly MeterEvent[], formula: 'count' | 'last' | 'sum'): number {
  if (formula === 'count') return events.length;
  if (formula === 'sum') return Math.round(events.reduce((sum, { value }) => sum + Number(value), 0));
  const last = events.reduce<MeterEvent | undefined>(
    (latest, event) => (latest && latest.timestamp > event.timestamp ? latest : event),
    undefined,
  );
  return last ? Math.round(Number(last.value)) : 0;
}
