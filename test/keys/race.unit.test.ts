import fc from 'fast-check';
import type { KnownKeyRow } from '../../projections/keys/queries.js';
import { StreamCatchUp } from '../../src/following/catchUp.js';
import { START, StoredEvent } from '../../src/eventsourcing/event.js';
import { Freshness } from '../../src/following/freshness.js';
import { Progress } from '../../src/following/progress.js';
import { hashKey, KeyCache } from '../../src/keys/cache.js';
import { keyStream } from '../../src/keys/events.js';
import { mintKey } from '../../src/keys/format.js';

const PEPPER = Buffer.alloc(32, 7);
const PREFIXES = ['sk_live_', 'sk_test_'];
const NOW = Date.UTC(2026, 10, 23);
const NEVER_MS = 3_600_000;

const text = mintKey('sk_live_');
const hash = hashKey(PEPPER, text);
const facts = { accountId: 'a', environment: 'live', scopes: ['read'], hash, expiresAt: null } as const;
const stored = (position: number, revision: number, type: string, data: object): StoredEvent =>
  new StoredEvent(
    position,
    keyStream('k'),
    revision,
    `event-${position}`,
    type,
    JSON.stringify(data),
    JSON.stringify({ schemaVersion: 1, at: new Date(NOW).toISOString(), environment: 'live' }),
  );
const issued = stored(1, 0, 'KeyIssued', { ...facts, name: 'n', prefix: 'sk_live_', last4: text.slice(-4) });
const revoked = stored(2, 1, 'KeyRevoked', { accountId: 'a', by: 'user:u' });
const row: KnownKeyRow = {
  id: 'k',
  account_id: 'a',
  environment: 'live',
  scopes: ['read'],
  hash,
  limits: [],
  rotations: [],
  expires_at: null,
  revoked_at: null,
};
const revokedRow: KnownKeyRow = { ...row, revoked_at: new Date(NOW) };

/** Every way to bring steps together that keeps the order of each list. */
function* interleavings<T>(lists: readonly (readonly T[])[]): Generator<T[]> {
  if (lists.every((list) => list.length === 0)) yield [];
  for (const [i, [first, ...rest]] of lists.entries()) {
    if (first === undefined) continue;
    for (const others of interleavings(lists.map((list, j) => (j === i ? rest : list))))
      yield [first, ...others];
  }
}

/**
 * What is under way for one key, each in its own time.
 * @param projected whether the read model has the revocation as soon as it is stored
 */
function race(projected: boolean) {
  const cache = new KeyCache(PEPPER, PREFIXES);
  const store = [issued];
  let rows: KnownKeyRow[] = [];
  let page: StoredEvent[] = [];
  let stream: StoredEvent[] = [];
  const apply = (events: readonly StoredEvent[]): void => events.forEach((event) => cache.apply(event));
  return {
    cache,
    load: [
      () => void (rows = [projected && store.includes(revoked) ? revokedRow : row]),
      () => cache.load(rows),
    ],
    follow: [() => void (page = [...store]), () => apply(page)],
    catchUp: [() => void (stream = [...store]), () => apply(stream)],
    revoke: [() => void store.push(revoked), () => apply([revoked])],
  };
}

const usable = (cache: KeyCache): boolean => cache.check(text, NOW).kind === 'key';

/**
 * The race: while a node reads a key's row, a page of events or the key's own stream, the key is revoked, on
 * this node or another. What was read before the revocation arrives after it.
 */
describe('a key that is revoked while it is read', () => {
  it.each([
    ['has it as soon as it is stored', true],
    ['is behind', false],
  ])(
    'is not left usable on the node that revoked it, in any order, where the read model %s',
    (_name, projected) => {
      const names = ['load', 'follow', 'catchUp', 'revoke'] as const;
      const lists = names.map((name) => [0, 1].map((step) => [name, step] as const));
      let orders = 0;
      for (const order of interleavings(lists)) {
        orders++;
        const steps = race(projected);
        let answered = false;
        for (const [name, step] of order) {
          steps[name][step]?.();
          answered ||= name === 'revoke' && step === 1;
          if (answered && usable(steps.cache)) throw new Error(`usable after ${order.join('; ')}`);
        }
      }
      expect(orders).toBe(2_520);
    },
  );

  it('is used nowhere once memory is proven to be as new as the revocation, or its stream was asked', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (s) => {
        const cache = new KeyCache(PEPPER, PREFIXES);
        const apply = (events: readonly StoredEvent[]): void => events.forEach((event) => cache.apply(event));
        const store = [issued];
        let row_ = row;
        let moment = 0;
        let revokedAt = Infinity;
        const turn = async (): Promise<void> => {
          await s.schedule(Promise.resolve());
          moment++;
        };
        /** The other side looks at some time between the question and the answer. */
        const ask = async <T>(look: () => T): Promise<T> => {
          await turn();
          const seen = look();
          await turn();
          return seen;
        };
        const progress = new Progress(START);
        const follow = async (): Promise<void> => {
          const page = await ask(() => store.filter(({ position }) => position > progress.position));
          apply(page);
          progress.moveTo(page.at(-1)?.position ?? progress.position);
        };
        const freshness = new Freshness({
          head: () => ask(() => store.length),
          reached: (position) => progress.reached(position, NEVER_MS),
          clock: () => moment,
        });
        const catchUp = new StreamCatchUp({
          load: () => ask(() => [...store]),
          apply,
          clock: () => 0,
          timeoutMs: NEVER_MS,
        });

        const prove = async (): Promise<void> => {
          await turn();
          await freshness.prove();
          if (moment - freshness.ageMs > revokedAt) expect(usable(cache)).toBe(false);
        };
        const check = async (): Promise<void> => {
          await turn();
          const later = moment > revokedAt;
          await catchUp.of([keyStream('k')]);
          if (later) expect(usable(cache)).toBe(false);
        };
        const load = async (): Promise<void> => cache.load([await ask(() => row_)]);
        const project = async (): Promise<void> => {
          await turn();
          row_ = store.includes(revoked) ? revokedRow : row;
        };
        const revoke = async (): Promise<void> => {
          await turn();
          store.push(revoked);
          revokedAt = moment;
        };
        const times = async (count: number, work: () => Promise<void>): Promise<void> => {
          for (let i = 0; i < count; i++) await work();
        };
        const all = [load(), times(2, project), revoke(), times(4, follow), times(3, prove), times(3, check)];
        await s.waitIdle();
        // What nobody has brought yet comes with the next page.
        apply(store);
        progress.moveTo(revoked.position);
        await s.waitFor(Promise.all(all));
        expect(usable(cache)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });
});
