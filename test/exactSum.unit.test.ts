import * as fc from 'fast-check';
import { ExactSum } from '../src/exactSum.js';

it('is exact however large it gets', () => {
  const most = 2 ** 52;
  const amount = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(most, -most, 1e12, most - 1));
  fc.assert(
    fc.property(fc.array(amount, { maxLength: 40 }), (amounts) => {
      const sum = new ExactSum();
      for (const one of amounts) sum.add(one);
      const plain = amounts.reduce((all, one) => all + BigInt(one), 0n);
      expect(String(sum)).toBe(String(plain));
      expect(sum.exactly).toBe(plain);
      expect(sum.rounded).toBe(Number(plain));
      const on = new ExactSum(plain);
      on.add(-7);
      expect(on.exactly).toBe(plain - 7n);
    }),
  );
});
