import { BoundedMap } from '../src/boundedMap.js';

const filled = (max: number, ...keys: string[]): BoundedMap<string> => {
  const map = new BoundedMap<string>(max);
  for (const key of keys) map.set(key, key.toUpperCase());
  return map;
};
const held = (map: BoundedMap<string>, keys: string): string =>
  [...keys].filter((key) => map.get(key) !== undefined).join('');

it('holds at most so many entries, and forgets the oldest first', () => {
  const map = filled(3, 'a', 'b', 'c', 'd', 'e');
  expect(map.size).toBe(3);
  expect(held(map, 'abcde')).toBe('cde');
});

it('keeps what was read or written again', () => {
  const map = filled(3, 'a', 'b', 'c');
  expect(map.get('a')).toBe('A');
  map.set('b', 'B2');
  map.set('d', 'D');
  expect(held(map, 'abcd')).toBe('abd');
  expect(map.get('b')).toBe('B2');
});

it('forgets nothing when a key that it has is written', () => {
  const map = filled(2, 'a', 'b', 'b', 'b');
  expect(held(map, 'ab')).toBe('ab');
});

it('has room again for what was deleted', () => {
  const map = filled(2, 'a', 'b');
  map.delete('b');
  map.delete('z');
  map.set('c', 'C');
  expect(held(map, 'abc')).toBe('ac');
});
