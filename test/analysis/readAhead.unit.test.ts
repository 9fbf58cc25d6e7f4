import { setImmediate } from 'node:timers/promises';
import type { Piece } from '../../src/analysis/readAhead.js';
import { Ahead, ReadAhead } from '../../src/analysis/readAhead.js';

const piece = (bytes: number): Piece => ({ csv: 'events_csv', json: new Uint8Array(bytes) });

/** Writes pieces of ten bytes until there is no room. @returns how many, and whether there is room again */
async function fill(ahead: ReadAhead): Promise<{ readonly pieces: number; readonly room: () => boolean }> {
  for (let pieces = 1; pieces <= 100; pieces++) {
    let room = false;
    void ahead.write(piece(10)).then(() => (room = true));
    await setImmediate();
    if (!room) return { pieces, room: () => room };
  }
  throw new Error('there is always room');
}

test('an answer has its bytes made ahead and no more, until one is read', async () => {
  const ahead = new ReadAhead(new Ahead(40, 1_000));
  const { pieces, room } = await fill(ahead);
  expect(pieces).toBe(4);
  await ahead.read().next();
  await setImmediate();
  expect(room()).toBe(true);
});

test('all answers together have no more than theirs, and what is dropped or read makes room', async () => {
  const all = new Ahead(1_000, 100);
  const [first, second, third] = [new ReadAhead(all), new ReadAhead(all), new ReadAhead(all)];
  expect((await fill(first)).pieces).toBe(10);
  // One piece at a time goes through even so.
  expect((await fill(second)).pieces).toBe(1);
  first.fail(new Error('closed'));
  second.fail(new Error('closed'));
  expect((await fill(third)).pieces).toBe(10);
});

test('what was written is read in order, then comes the end or the error', async () => {
  const whole = new ReadAhead(new Ahead(100, 100));
  for (const bytes of [1, 2, 3]) await whole.write(piece(bytes));
  whole.end();
  const sizes: number[] = [];
  for await (const { json } of whole.read()) sizes.push(json.length);
  expect(sizes).toEqual([1, 2, 3]);

  const broken = new ReadAhead(new Ahead(100, 100));
  const reading = broken.read().next();
  broken.fail(new Error('the thread is gone'));
  await expect(reading).rejects.toThrow('the thread is gone');
  await broken.write(piece(1));
  await expect(broken.read().next()).rejects.toThrow('the thread is gone');
});
