import fc from 'fast-check';
import { dayOf, timeOf } from '../../src/text/time.js';

it.each([
  ['2026-11-23T10:15:30Z', '2026-11-23T10:15:30.000Z'],
  ['2026-11-23t10:15:30z', '2026-11-23T10:15:30.000Z'],
  ['2026-11-23T10:15:30.123456789+02:00', '2026-11-23T08:15:30.123Z'],
  ['2024-02-29T23:59:59-23:59', '2024-03-01T23:58:59.000Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('%s is a time', (text, expected) => {
  expect(timeOf(text)?.toISOString()).toBe(expected);
});

it.each([
  '2026-02-30T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-11-31T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-11-00T00:00:00Z',
  '2026-11-23T24:00:00Z',
  '2026-11-23T23:60:00Z',
  '2026-06-30T23:59:60Z',
  '2026-11-23T10:00:00+24:00',
  '2026-11-23T10:00:00+23:60',
  '2026-11-23T10:00:00',
  '2026-11-23T10:00Z',
  '2026-11-23 10:00:00Z',
  '2026-11-23',
  '0000-12-31T23:59:59Z',
  '0001-01-01T00:00:00+01:00',
  '9999-12-31T23:59:59-00:01',
  '+02026-11-23T10:15:30Z',
  '２０２６-11-23T10:15:30Z',
  ' 2026-11-23T10:15:30Z',
  '2026-11-23T10:15:30Z\n',
  '',
])('%j is none', (text) => {
  expect(timeOf(text)).toBeUndefined();
});

it('every time that there is, is read back as it is written', () => {
  const between = { min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z') };
  fc.assert(
    fc.property(fc.date({ ...between, noInvalidDate: true }), (time) => {
      expect(timeOf(time.toISOString())).toEqual(time);
      expect(dayOf(time.toISOString().slice(0, 10))?.getTime()).toBe(
        time.getTime() - (((time.getTime() % 864e5) + 864e5) % 864e5),
      );
    }),
  );
});

it('every day is one of the calendar, or none', () => {
  const part = (max: number) => fc.nat(max).map((n) => String(n).padStart(2, '0'));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9999 }), part(14), part(33), (year, month, day) => {
      const text = `${String(year).padStart(4, '0')}-${month}-${day}`;
      const read = dayOf(text);
      if (read) expect(read.toISOString().slice(0, 10)).toBe(text);
      else expect(new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10)).not.toBe(text);
    }),
    { numRuns: 1_000 },
  );
});
