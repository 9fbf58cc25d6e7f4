import { agesIn } from '../../src/usage/limits/limiter.js';
import { limit, NOON, NOTHING } from './limiter.contract.js';

it('loads the newest of what is counted, and no more than limits hold', () => {
  const { meter } = limit('minute', 1, 'jobs');
  const recent = [
    { id: 'a', at: NOON - 50_000, amounts: { jobs: 2 } },
    { id: 'b', at: NOON - 20_000, amounts: { jobs: 1_000 } },
    { id: 'c', at: NOON - 10_000, amounts: { jobs: 1 } },
  ];
  const ages = (most: number, amount: number): number[] =>
    agesIn({ ...NOTHING, recent, most }, meter, 60_000, amount);
  expect(ages(3, 2)).toEqual([20_000, 20_000, 10_000]);
  expect(ages(0, 4)).toEqual([20_000, 20_000, 20_000, 10_000]);
  expect(ages(2_000, 4)).toHaveLength(1_003);
  expect(ages(2_000, 4).slice(0, 3)).toEqual([50_000, 50_000, 20_000]);
});
