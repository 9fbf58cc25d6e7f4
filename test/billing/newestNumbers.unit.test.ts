import fc from 'fast-check';
import { NewestNumbers } from '../../src/billing/newestNumbers.js';

it('has all that was numbered after what was seen, and keeps no more than that', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('numbered' as const), by: fc.constantFrom('us', 'another') }),
    // Of what there is the read model has seen so much: less than before, too, while it is rebuilt.
    fc.record({ kind: fc.constant('seen' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const stream: string[] = [];
      const newest = new NewestNumbers();
      let seen = 0;
      for (const one of steps) {
        if (one.kind === 'seen') {
          seen = Math.floor(stream.length * one.part);
          newest.forgetUpTo(seen);
        } else {
          // We number at the very end alone: what others have numbered is read before.
          if (one.by === 'us') for (const id of stream.slice(newest.last)) newest.add(id);
          stream.push(`in_${stream.length}`);
          if (one.by === 'us') expect(newest.add(stream.at(-1) as string)).toBe(stream.length);
        }
        expect(newest.last).toBeLessThanOrEqual(stream.length);
        expect(newest.size).toBe(newest.last - seen);
        for (const [place, id] of stream.entries()) {
          const number = place + 1;
          expect(newest.of(id)).toBe(number > seen && number <= newest.last ? number : undefined);
        }
      }
    }),
  );
});
