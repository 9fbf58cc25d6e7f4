import fc from 'fast-check';
import { Gaps } from '../../src/adapters/eventstoredb/gaps.js';

const at = (position: number) => ({ commit: BigInt(position), prepare: BigInt(position) });

it('never leads beyond an event of ours, whatever stretches it was told of, and knows what it was told last', () => {
  fc.assert(
    fc.property(
      // The log: at each position an event, of ours or not.
      fc.array(fc.boolean(), { minLength: 2, maxLength: 200 }),
      fc.array(fc.tuple(fc.nat(199), fc.nat(199)), { maxLength: 200 }),
      (ours, tellings) => {
        const gaps = new Gaps();
        for (const [from, length] of tellings) {
          const after = from % ours.length;
          let to = after;
          while (to - after < length && to + 1 < ours.length && (to === after || !ours[to])) to++;
          gaps.add(after, at(to));
          if (to > after && !(Number(gaps.end(after)?.commit) >= to)) return false;
        }
        return [...ours.keys()].every((after) => {
          const end = Number(gaps.end(after)?.commit ?? after);
          return end >= after && !ours.slice(after + 1, end).includes(true);
        });
      },
    ),
  );
});

it('keeps long stretches, and forgets short ones first', () => {
  const gaps = new Gaps();
  gaps.add(0, at(1_000));
  for (let n = 0; n < 2_000; n++) gaps.add(2_000 + n * 10, at(2_000 + n * 10 + 3 + (n % 5)));
  expect(gaps.end(500)).toEqual(at(1_000));
});
