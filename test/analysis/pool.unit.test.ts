import { join } from 'node:path';
import { AnalysisPool, CallerLeft } from '../../src/analysis/pool.js';
import type { RunningAnswer } from '../../src/analysis/pool.js';
import { BRANDING, ROOT } from './scan.js';

const MAX_BYTES = 1024 * 1024;

let pool: AnalysisPool;
const DATA = { rules: join(ROOT, 'rules', 'conversation'), branding: BRANDING, maxBytes: MAX_BYTES };
/** One thread, so that whatever is not given back stops the next analysis, and nothing is made ahead. */
beforeEach(() => {
  pool = new AnalysisPool(DATA, 1, { own: 1, all: 1 });
});
afterEach(() => pool.close());

const run = (left = new AbortController().signal): Promise<RunningAnswer> =>
  pool.run(new TextEncoder().encode('no, stop'), {}, left);

async function read({ pieces }: RunningAnswer): Promise<number> {
  let size = 0;
  for await (const { json } of pieces) size += json.length;
  return size;
}

test('an answer that is closed unread, once and again, gives its thread back once', async () => {
  const first = await run();
  const others = [run(), run()];
  first.close();
  first.close();
  for (const other of others) expect(await read(await other)).toBeGreaterThan(0);
});

test('closing an answer that was read to its end stops nothing', async () => {
  const first = await run();
  await read(first);
  const second = await run();
  first.close();
  expect(await read(second)).toBeGreaterThan(0);
});

test('pieces of a closed answer end with an error and not as if they were whole', async () => {
  const first = await run();
  await first.pieces.next();
  first.close();
  await expect(read(first)).rejects.toThrow('a worker ended');
  expect(await read(await run())).toBeGreaterThan(0);
});

test('whoever leaves while waiting for a thread gets none', async () => {
  const first = await run();
  const left = new AbortController();
  const second = run(left.signal);
  const third = run();
  left.abort();
  await expect(second).rejects.toThrow(CallerLeft);
  first.close();
  expect(await read(await third)).toBeGreaterThan(0);
  await expect(run(left.signal)).rejects.toThrow(CallerLeft);
  expect(await read(await run())).toBeGreaterThan(0);
});

test('whoever leaves during the analysis gives the thread back', async () => {
  await read(await run());
  const left = new AbortController();
  const gone = run(left.signal);
  const next = run();
  // The thread is there already, and has the file after a few turns.
  for (let n = 0; n < 5; n++) await Promise.resolve();
  left.abort();
  await expect(gone).rejects.toThrow(CallerLeft);
  expect(await read(await next)).toBeGreaterThan(0);
});

test('an answer that nobody reads holds no thread, and can be read later', async () => {
  await pool.close();
  pool = new AnalysisPool(DATA, 1);
  const slow = [await run(), await run(), await run()];
  const size = await read(await run());
  for (const answer of slow) expect(await read(answer)).toBe(size);
});
