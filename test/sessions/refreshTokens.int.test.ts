import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { REFRESH_MS, RefreshTokens, REMOVED_MS, REPEAT_MS } from '../../src/sessions/refreshTokens.js';
import { freshSql } from '../support/database.js';

const NOON = Date.parse('2026-11-22T12:00:00Z');
let database: Awaited<ReturnType<typeof freshSql>>;
let tokens: RefreshTokens;
beforeAll(async () => {
  database = await freshSql();
  tokens = await RefreshTokens.open(database.sql, Buffer.alloc(32, 5));
});
afterAll(() => database.remove());

const newSession = () => ({ sessionId: randomUUID(), userId: randomUUID(), epoch: 0 });

async function rotated(token: string, now: number): Promise<string> {
  const rotation = await tokens.rotate(token, now);
  if (rotation?.kind !== 'rotated') throw new Error(`no successor: ${JSON.stringify(rotation)}`);
  return rotation.token;
}

it('each token is exchanged for another one of the same session', async () => {
  const session = newSession();
  const chain = [await tokens.issue(session, NOON)];
  for (let i = 1; i <= 5; i++) chain.push(await rotated(chain.at(-1) as string, NOON + i * 900_000));
  expect(new Set(chain).size).toBe(6);
  for (const token of chain) {
    expect(token).toMatch(/^rt_[\w-]{43}$/);
    expect(await tokens.find(token, NOON + 5 * 900_000)).toEqual(session);
  }
});

it('of many that come with one token at the same moment all get one successor', async () => {
  const token = await tokens.issue(newSession(), NOON);
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => tokens.rotate(token, NOON + i)));
  expect(all.every((rotation) => rotation?.kind === 'rotated')).toBe(true);
  expect(new Set(all.map((rotation) => JSON.stringify(rotation))).size).toBe(1);
});

it('sent again within ten seconds it gets the same successor, later it is reused', async () => {
  const token = await tokens.issue(newSession(), NOON);
  const successor = await rotated(token, NOON);
  expect(await rotated(token, NOON + REPEAT_MS - 1)).toBe(successor);
  expect(await tokens.rotate(token, NOON + REPEAT_MS)).toEqual({ kind: 'reused' });
});

it('sent again after its successor was used it is reused at once', async () => {
  const token = await tokens.issue(newSession(), NOON);
  await rotated(await rotated(token, NOON), NOON + 1);
  expect(await tokens.rotate(token, NOON + 2)).toEqual({ kind: 'reused' });
});

it('is over when it was not used for thirty days, and then removed', async () => {
  const session = newSession();
  const token = await tokens.issue(session, NOON);
  expect(await tokens.find(token, NOON + REFRESH_MS - 1)).toEqual(session);
  expect(await tokens.find(token, NOON + REFRESH_MS)).toBeUndefined();
  expect(await tokens.rotate(token, NOON + REFRESH_MS)).toBeUndefined();
  await tokens.issue(newSession(), NOON + REFRESH_MS + REMOVED_MS);
  const left = await database.sql.query('SELECT 1 FROM vault.refresh_tokens WHERE session_id = $1', [
    session.sessionId,
  ]);
  expect(left).toEqual([]);
});

it.each(['', 'rt_', 'sk_live_abc', `rt_${'A'.repeat(43)}`, `rt_${'A'.repeat(100_000)}`, "rt_'; --"])(
  'what is none of ours is unknown: %.20s',
  async (text) => {
    expect(await tokens.find(text, NOON)).toBeUndefined();
    expect(await tokens.rotate(text, NOON)).toBeUndefined();
  },
);

it('another secret makes other tokens, and knows none of these', async () => {
  const other = await RefreshTokens.open(database.sql, Buffer.alloc(32, 6));
  const token = await tokens.issue(newSession(), NOON);
  expect(await other.find(token, NOON)).toBeUndefined();
});

it('are forgotten with their session, with the epochs of their user, or with the user', async () => {
  const user = newSession();
  const of = (epoch: number) => tokens.issue({ ...user, sessionId: randomUUID(), epoch }, NOON);
  const [mine, others] = [await tokens.issue(user, NOON), await tokens.issue(newSession(), NOON)];
  const [first, second, third] = [await of(0), await of(1), await of(2)];
  const known = async (): Promise<boolean[]> =>
    Promise.all(
      [mine, first, second, third, others].map(async (t) => (await tokens.find(t, NOON)) !== undefined),
    );
  await tokens.forgetSession(user.sessionId);
  expect(await known()).toEqual([false, true, true, true, true]);
  await tokens.forgetUser(user.userId, 2);
  expect(await known()).toEqual([false, false, false, true, true]);
  await tokens.forgetUser(user.userId, null);
  expect(await known()).toEqual([false, false, false, false, true]);
});

it('stand in the database only as a keyed hash', async () => {
  const token = await tokens.issue(newSession(), NOON);
  const successor = await rotated(token, NOON);
  const rows = JSON.stringify(await database.sql.query('SELECT * FROM vault.refresh_tokens'));
  for (const secret of [token, successor]) expect(rows).not.toContain(secret.slice(3));
});

/** Two hands hold copies of tokens; whoever holds the newest alone goes on, everything else ends it. */
it('in any order of uses a session has one unused token, and an old one shows that it was copied', async () => {
  const step = fc.record({ use: fc.nat({ max: 3 }), wait: fc.constantFrom(0, 1, 5_000, REPEAT_MS, 60_000) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const session = newSession();
      const chain = [await tokens.issue(session, NOON)];
      /** When each was first used, by its place in the chain. */
      const used: number[] = [];
      let now = NOON;
      for (const { use, wait } of steps) {
        now += wait;
        const index = Math.max(0, chain.length - 1 - use);
        const result = await tokens.rotate(chain[index] as string, now);
        const newest = index === chain.length - 1;
        const repeated = index === chain.length - 2 && now - (used[index] as number) < REPEAT_MS;
        if (newest) {
          expect(result?.kind).toBe('rotated');
          used[index] = now;
          if (result?.kind === 'rotated') chain.push(result.token);
        } else if (repeated) {
          expect(result).toEqual({ kind: 'rotated', token: chain[index + 1] });
        } else {
          expect(result).toEqual({ kind: 'reused' });
        }
      }
      const unused = await database.sql.query(
        'SELECT 1 FROM vault.refresh_tokens WHERE session_id = $1 AND used_at IS NULL',
        [session.sessionId],
      );
      expect(unused).toHaveLength(1);
    }),
    { numRuns: 60 },
  );
});

describe('a clock that was ahead for a moment', () => {
  it('ends no session', async () => {
    const session = newSession();
    const token = await tokens.issue(session, NOON - REFRESH_MS + 60_000);
    await tokens.issue(newSession(), NOON + 86_400_000);
    expect(await tokens.find(token, NOON)).toEqual(session);
  });

  it('makes no token good for a second exchange until it is over', async () => {
    const token = await tokens.issue(newSession(), NOON);
    await rotated(token, NOON + 3_600_000);
    expect(await tokens.rotate(token, NOON + 600_000)).toEqual({ kind: 'reused' });
  });
});
