import { copyFileSync, rmSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { silentLogger } from '../../src/logger.js';
import type { Subject } from '../../src/usage/events.js';
import { MissedSubjects } from '../../src/usage/limits/missedSubjects.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgraph-missed-'));
  file = join(folder, 'missed');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const subject = (accountId: string): Subject => ({ accountId, environment: 'live', keyId: undefined });
const open = (path = file): Promise<MissedSubjects> => MissedSubjects.open(path, silentLogger);
const namesIn = (missed: MissedSubjects): string[] => [...missed].map(({ accountId }) => accountId).sort();

type Step =
  | { readonly kind: 'add'; readonly names: readonly string[] }
  | { readonly kind: 'forget' }
  | { readonly kind: 'turns'; readonly count: number }
  | { readonly kind: 'crash'; readonly cut: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 2 })
      .map((names) => ({ kind: 'add' as const, names })),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'forget' as const }) },
  { weight: 3, arbitrary: fc.nat({ max: 3 }).map((count) => ({ kind: 'turns' as const, count })) },
  { weight: 1, arbitrary: fc.nat({ max: 40 }).map((cut) => ({ kind: 'crash' as const, cut })) },
);

it('has whom it was told of in whatever moment its process is killed, until their counters are loaded anew', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 14 }), async (steps) => {
      await rm(file, { force: true });
      let missed = await open();
      let now = 0;
      // When each was missed last, when that was answered, and up to when counters have it.
      const [told, answered, loaded] = [1, 2, 3].map(() => new Map<string, number>()) as [
        Map<string, number>,
        Map<string, number>,
        Map<string, number>,
      ];
      const later = (map: Map<string, number>, name: string, at: number): void =>
        void map.set(name, Math.max(map.get(name) ?? 0, at));
      const running: Promise<unknown>[] = [];
      const forget = async (from: MissedSubjects): Promise<void> => {
        for (const one of from) {
          const at = told.get(one.accountId) ?? 0;
          await turn();
          later(loaded, one.accountId, at);
          await from.delete(one);
        }
      };
      /** What a process finds that starts after this one was killed now. */
      const afterKill = async (): Promise<void> => {
        const owed = [...answered].filter(([name, at]) => at > (loaded.get(name) ?? 0));
        const copy = join(folder, 'copy');
        try {
          copyFileSync(file, copy);
        } catch {
          rmSync(copy, { force: true });
        }
        const found = namesIn(await open(copy));
        expect(owed.map(([name]) => name).filter((name) => !found.includes(name))).toEqual([]);
      };
      for (const one of steps) {
        if (one.kind === 'add') {
          const at = ++now;
          for (const name of one.names) told.set(name, at);
          const added = missed.add(one.names.map(subject));
          running.push(added.then(() => one.names.forEach((name) => later(answered, name, at))));
        } else if (one.kind === 'forget') running.push(forget(missed));
        else if (one.kind === 'turns') for (let i = 0; i < one.count; i++) await turn();
        else {
          await Promise.all(running);
          // The next write was cut off.
          await appendFile(file, `\n${JSON.stringify(subject('cut'))}`.slice(0, one.cut));
          missed = await open();
        }
        await afterKill();
      }
      await Promise.all(running);
      await afterKill();
    }),
    { numRuns: 150 },
  );
});

it('writes whom a full disk has kept it from writing with whoever comes next, and complains once', async () => {
  const errors: unknown[] = [];
  const log = { ...silentLogger, error: (message: string) => errors.push(message) } as typeof silentLogger;
  const missed = await MissedSubjects.open(file, log);
  // Stands for it: nothing can be written there.
  await mkdir(file);
  await missed.add([subject('a')]);
  await missed.add([subject('a'), subject('b')]);
  expect(errors).toHaveLength(1);
  await rm(file, { recursive: true });
  await missed.add([subject('a')]);
  expect(namesIn(await open())).toEqual(['a', 'b']);
  for (const one of missed) await missed.delete(one);
  expect(await readdir(folder)).toEqual([]);
});
