import fc from 'fast-check';
import { isoTime } from '../src/isoTime.js';

it('is what Date says', () => {
  const times = fc.date({ noInvalidDate: true }).map((date) => date.getTime());
  fc.assert(fc.property(times, (at) => expect(isoTime(at)).toBe(new Date(at).toISOString())));
  // The same seconds again, and more of them than are kept.
  for (const first of [0, 1_763_880_252_946]) {
    for (let at = first; at < first + 1_500_000; at += 499)
      expect(isoTime(at)).toBe(new Date(at).toISOString());
  }
});
