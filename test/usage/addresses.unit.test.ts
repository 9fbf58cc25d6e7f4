import { AddressHashes } from '../../src/usage/addresses.js';

const [NOVEMBER, DECEMBER] = ['month:2026-11', 'month:2026-12'];
const hashes = new AddressHashes(Buffer.alloc(32, 1));

it('is the same all month, on every node with the key', () => {
  const hash = hashes.of('192.0.2.1', NOVEMBER);
  expect(hash).toMatch(/^[\w-]{22}$/);
  expect(hashes.of('192.0.2.1', NOVEMBER)).toBe(hash);
  expect(new AddressHashes(Buffer.alloc(32, 1)).of('192.0.2.1', NOVEMBER)).toBe(hash);
});

it('differs by address, by month and by key, so that nobody can join or guess them', () => {
  const made = [
    hashes.of('192.0.2.1', NOVEMBER),
    hashes.of('192.0.2.2', NOVEMBER),
    hashes.of('192.0.2.1', DECEMBER),
    new AddressHashes(Buffer.alloc(32, 2)).of('192.0.2.1', NOVEMBER),
  ];
  expect(new Set(made).size).toBe(4);
});

it('goes back to a month that is over with the same hash', () => {
  const hash = hashes.of('192.0.2.9', NOVEMBER);
  hashes.of('192.0.2.9', DECEMBER);
  expect(hashes.of('192.0.2.9', NOVEMBER)).toBe(hash);
});

it('is null, not the hash of nothing, where the address is unknown', () => {
  expect(hashes.of(undefined, NOVEMBER)).toBeNull();
});
