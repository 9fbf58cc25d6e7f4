import { amountOf, MAX_USE_AMOUNT } from '../../src/plans/meters.js';
import { usesOf } from '../../src/usage/journal/readUses.js';
import { checkAmounts } from '../../src/usage/limits/limiter.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { newUse } from '../usage/uses.js';

const stored = (seconds: number): StoredEvent => {
  const data = { groups: [{ account: 'a', uses: [newUse({ meters: { requests: 1, seconds } })] }] };
  const metadata = { schemaVersion: 1 };
  return { type: 'UsesRecorded', data, dataText: JSON.stringify(data), metadata } as unknown as StoredEvent;
};

describe('the amount of a use', () => {
  const most = String(MAX_USE_AMOUNT);

  it.each([
    [most, 0],
    ['1000', 9],
  ])('may be %s with %i decimals, which the limiter takes and readers count', (text, decimals) => {
    const amount = amountOf(text, { decimals }) as number;
    expect(amount).toBe(MAX_USE_AMOUNT);
    expect(() => checkAmounts({ seconds: amount })).not.toThrow();
    expect(usesOf(stored(amount)).bad).toEqual([]);
  });

  it.each([
    [String(MAX_USE_AMOUNT + 1), 0],
    ['1000.000000001', 9],
    [String(Number.MAX_SAFE_INTEGER), 0],
  ])('may not be %s with %i decimals', (text, decimals) => {
    expect(amountOf(text, { decimals })).toBeUndefined();
  });

  it('is not taken where readers would park it', () => {
    const amount = MAX_USE_AMOUNT + 1;
    expect(() => checkAmounts({ seconds: amount })).toThrow(RangeError);
    expect(usesOf(stored(amount)).bad).toHaveLength(1);
  });
});
