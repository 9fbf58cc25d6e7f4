import { Deadlines } from '../../src/graphql/execution/deadlines.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const never = (): Promise<string> => new Promise(() => undefined);

it('gives what was done in time, and what failed in time', async () => {
  const deadlines = new Deadlines(1_000);
  await expect(deadlines.within(Promise.resolve('done'))).resolves.toBe('done');
  await expect(deadlines.within(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  let finish!: (text: string) => void;
  const late = deadlines.within(new Promise<string>((resolve) => (finish = resolve)));
  jest.advanceTimersByTime(999);
  finish('at last');
  await expect(late).resolves.toBe('at last');
});

it('gives up what runs for too long, each at its time, and leaves no timer behind', async () => {
  const deadlines = new Deadlines(1_000);
  const given: string[] = [];
  void deadlines.within(never()).then((answer) => given.push(`first ${answer}`));
  jest.advanceTimersByTime(500);
  void deadlines.within(never()).then((answer) => given.push(`second ${answer}`));
  await jest.advanceTimersByTimeAsync(450);
  expect(given).toEqual([]);
  await jest.advanceTimersByTimeAsync(300);
  expect(given).toEqual(['first timeout']);
  await jest.advanceTimersByTimeAsync(500);
  expect(given).toEqual(['first timeout', 'second timeout']);
  expect(jest.getTimerCount()).toBe(0);
});

it('does not mind how late something ends that was given up', async () => {
  const deadlines = new Deadlines(100);
  let fail!: (error: Error) => void;
  const given = deadlines.within(new Promise((_resolve, reject) => (fail = reject)));
  await jest.advanceTimersByTimeAsync(500);
  fail(new Error('too late'));
  await expect(given).resolves.toBe('timeout');
});
