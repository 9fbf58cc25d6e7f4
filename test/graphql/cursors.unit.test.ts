import fc from 'fast-check';
import { Cursors } from '../../src/graphql/kit/cursors.js';

const cursors = new Cursors(Buffer.alloc(32, 1));
const place = [12, 345];

it('reads back what it wrote', () => {
  const whole = fc.nat(Number.MAX_SAFE_INTEGER);
  fc.assert(
    fc.property(whole, fc.uuid(), (number, id) => {
      expect(cursors.decode('list', cursors.encode('list', [number, id]))).toEqual([String(number), id]);
    }),
  );
});

it('refuses a cursor of which any bit was turned', () => {
  const bytes = Buffer.from(cursors.encode('list', place), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const turned = Buffer.from(bytes);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(cursors.decode('list', turned.toString('base64url'))).toBeUndefined();
  }
});

it('refuses a cursor that was cut or continued', () => {
  const bytes = Buffer.from(cursors.encode('list', place), 'base64url');
  for (let length = 0; length < bytes.length; length++) {
    expect(cursors.decode('list', bytes.subarray(0, length).toString('base64url'))).toBeUndefined();
  }
  expect(
    cursors.decode('list', Buffer.concat([bytes, Buffer.from('0')]).toString('base64url')),
  ).toBeUndefined();
});

it('refuses a cursor of another list or key', () => {
  expect(cursors.decode('other', cursors.encode('list', place))).toBeUndefined();
  expect(new Cursors(Buffer.alloc(32, 2)).decode('list', cursors.encode('list', place))).toBeUndefined();
});

it.each(['', 'x', 'not a cursor', '🐙', '../../etc', 'A'.repeat(100_000)])(
  'refuses what is no cursor: %.20s',
  (text) => {
    expect(cursors.decode('list', text)).toBeUndefined();
  },
);
