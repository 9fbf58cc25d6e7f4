import fc from 'fast-check';
import type { EventLoop } from '../../src/usage/journal/flushTiming.js';
import { FlushTiming } from '../../src/usage/journal/flushTiming.js';

const MAX = 64;
const FLUSH_MS = 4;
/** As the class has them. */
const FIRST_MS = 2;
const BUSY_RESTS = 4;

/** A loop whose turns are taken by hand, and whose time passes only in them. */
class ManualLoop implements EventLoop {
  time = 100;
  #soon: (() => void)[] = [];
  readonly #timers = new Set<{ at: number; resume: () => void }>();

  readonly now = (): number => this.time;
  readonly soon = (resume: () => void): void => void this.#soon.push(resume);
  readonly after = (ms: number, resume: () => void): (() => void) => {
    const timer = { at: this.time + ms, resume };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timers(): number {
    return this.#timers.size;
  }

  /** One turn, after which so much time has passed. */
  async turn(ms = 0): Promise<void> {
    this.time += ms;
    for (const timer of this.#timers) {
      if (timer.at > this.time) continue;
      this.#timers.delete(timer);
      timer.resume();
    }
    for (const resume of this.#soon.splice(0)) resume();
    await settled();
  }
}

/** Long enough for every promise that nothing outside holds up. */
const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** Uses that wait, and what gathers them. */
class Queue {
  readonly loop = new ManualLoop();
  size = 0;
  readonly gathering = new FlushTiming({
    flushMs: FLUSH_MS,
    max: MAX,
    size: () => this.size,
    loop: this.loop,
  });

  add(count = 1): void {
    for (let i = 0; i < count; i++) {
      this.size++;
      this.gathering.added();
    }
  }

  /** @returns whether it has ended */
  async gather(quiet: boolean): Promise<() => boolean> {
    let ended = false;
    void this.gathering.gather(quiet).then(() => (ended = true));
    await settled();
    return () => ended;
  }

  /** Everything that waits goes. */
  flush(): void {
    this.size = 0;
  }

  /** One flush has gone just now. */
  async flushed(): Promise<void> {
    this.add();
    const ended = await this.gather(true);
    while (!ended()) await this.loop.turn();
    this.flush();
  }
}

it('lets a use that came alone wait for one turn', async () => {
  const queue = new Queue();
  queue.add();
  const ended = await queue.gather(true);
  expect(ended()).toBe(false);
  await queue.loop.turn();
  expect(ended()).toBe(true);
});

it('goes on while turns bring more, and ends with the first that brings none', async () => {
  const queue = new Queue();
  queue.add();
  const ended = await queue.gather(true);
  for (let turn = 0; turn < 5; turn++) {
    queue.add();
    await queue.loop.turn();
    expect(ended()).toBe(false);
  }
  await queue.loop.turn();
  expect(ended()).toBe(true);
});

it.each([
  ['the first ones after a quiet time', true, FIRST_MS],
  ['others, counted from the last flush', false, BUSY_RESTS * FLUSH_MS],
])('lets %s wait so long at most', async (_which, quiet, ms) => {
  const queue = new Queue();
  if (!quiet) await queue.flushed();
  queue.add();
  const ended = await queue.gather(quiet);
  for (let passed = 0; passed < ms; passed++) {
    expect(ended()).toBe(false);
    queue.add();
    await queue.loop.turn(1);
  }
  expect(ended()).toBe(true);
});

it('keeps the shortest time between two flushes, however idle the loop', async () => {
  const queue = new Queue();
  await queue.flushed();
  queue.add();
  const ended = await queue.gather(true);
  for (let passed = 1; passed < FLUSH_MS; passed++) await queue.loop.turn(1);
  expect(ended()).toBe(false);
  await queue.loop.turn(1);
  expect(ended()).toBe(true);
});

it.each([
  ['in the turn that brings the last', FLUSH_MS],
  ['although the last flush has just gone', 0],
])('ends as soon as a flush is full: %s', async (_when, passed) => {
  const queue = new Queue();
  await queue.flushed();
  queue.loop.time += passed;
  queue.add();
  const ended = await queue.gather(true);
  queue.add(MAX - 2);
  await settled();
  expect(ended()).toBe(false);
  queue.add();
  await settled();
  expect(ended()).toBe(true);
  expect(queue.loop.timers).toBe(0);
});

it('lets nothing wait once it is closed', async () => {
  const queue = new Queue();
  await queue.flushed();
  queue.add();
  const ended = await queue.gather(true);
  queue.gathering.close();
  await settled();
  expect(ended()).toBe(true);
  queue.add();
  expect((await queue.gather(true))()).toBe(true);
});

it('ends in time, and never too early, however uses come', async () => {
  const arrival = fc.record({ uses: fc.nat(20), ms: fc.constantFrom(0, 0.25, 1, 3) });
  await fc.assert(
    fc.asyncProperty(fc.array(arrival, { minLength: 1, maxLength: 60 }), async (arrivals) => {
      const queue = new Queue();
      let last = -Infinity;
      let ended: (() => boolean) | undefined;
      let began = 0;
      let quiet = true;
      for (const { uses, ms } of arrivals) {
        queue.add(uses);
        await settled();
        if (!ended && queue.size > 0) {
          began = queue.loop.time;
          ended = await queue.gather(quiet);
        }
        if (!ended) {
          quiet = true;
          await queue.loop.turn(ms);
          continue;
        }
        if (!ended()) await queue.loop.turn(ms);
        const { time } = queue.loop;
        if (ended()) {
          if (queue.size < MAX) expect(time).toBeGreaterThanOrEqual(last + FLUSH_MS);
          last = time;
          queue.flush();
          ended = undefined;
          quiet = false;
        } else {
          expect(queue.size).toBeLessThan(MAX);
          const most = quiet ? began + FIRST_MS : last + BUSY_RESTS * FLUSH_MS;
          expect(time).toBeLessThan(Math.max(last + FLUSH_MS, most));
        }
      }
    }),
    { numRuns: 300 },
  );
});
