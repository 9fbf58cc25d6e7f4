import fc from 'fast-check';
import type { KnownKeyRow } from '../../projections/keys/queries.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { hashKey, KeyCache } from '../../src/keys/cache.js';
import type { KeyEvent } from '../../src/keys/events.js';
import { keyStream } from '../../src/keys/events.js';
import { mintKey } from '../../src/keys/format.js';

const PEPPER = Buffer.alloc(32, 7);
const PREFIXES = ['sk_live_', 'sk_test_'];
const NOW = Date.UTC(2026, 10, 22);

let position = 0;
function stored(id: string, revision: number, event: KeyEvent): StoredEvent {
  const metadata = {
    schemaVersion: 1,
    at: new Date(NOW).toISOString(),
    environment: 'live',
    correlationId: 'c',
  };
  return new StoredEvent(
    ++position,
    keyStream(id),
    revision,
    `event-${position}`,
    event.type,
    JSON.stringify(event.data),
    JSON.stringify(metadata),
  );
}

/** A key with all that can be said of it: its events, and the reader's copy before and after its revocation. */
function example(id: string, expiresAt: string | null = null) {
  const text = mintKey('sk_live_');
  const issued = stored(id, 0, {
    type: 'KeyIssued',
    data: {
      accountId: `account-of-${id}`,
      name: 'test',
      environment: 'live',
      scopes: ['read'],
      hash: hashKey(PEPPER, text),
      pepperId: 'p',
      prefix: 'sk_live_',
      last4: text.slice(-4),
      expiresAt,
      limits: [],
      metadata: [],
    },
  });
  const revoked = stored(id, 1, {
    type: 'KeyRevoked',
    data: { accountId: `account-of-${id}`, by: 'user:u' },
  });
  const row: KnownKeyRow = {
    id,
    account_id: `account-of-${id}`,
    environment: 'live',
    scopes: ['read'],
    hash: hashKey(PEPPER, text),
    limits: [],
    rotations: [],
    expires_at: expiresAt === null ? null : new Date(expiresAt),
    revoked_at: null,
  };
  return { text, issued, revoked, row, revokedRow: { ...row, revoked_at: new Date(NOW) } };
}

/** The same with two rotations behind it: the first secret works until +10 s, the second until +20 s. */
function rotatedExample(id: string) {
  const key = example(id);
  const texts = [key.text, mintKey('sk_live_'), mintKey('sk_live_')];
  const rotations = [10_000, 20_000].map((grace, i) => {
    const text = texts[i + 1] as string;
    return {
      revision: i + 1,
      at: new Date(NOW).toISOString(),
      hash: hashKey(PEPPER, text),
      prefix: 'sk_live_',
      last4: text.slice(-4),
      graceEndsAt: new Date(NOW + grace).toISOString(),
    };
  });
  const events = rotations.map(({ revision, hash, prefix, last4, graceEndsAt }) =>
    stored(id, revision, {
      type: 'KeyRotated',
      data: {
        accountId: `account-of-${id}`,
        by: 'user:u',
        hash,
        pepperId: 'p',
        prefix,
        last4,
        graceEndsAt,
      },
    }),
  );
  const row = (known: number): KnownKeyRow => ({ ...key.row, rotations: rotations.slice(0, known) });
  return { texts, arrivals: [key.issued, ...events], rows: [row(0), row(1), row(2)] };
}

const codeOf = (cache: KeyCache, text: string, now = NOW): string => {
  const check = cache.check(text, now);
  return check.kind === 'key' ? 'valid' : check.code;
};

const cacheOf = (): KeyCache => new KeyCache(PEPPER, PREFIXES);

describe('a key', () => {
  it('is known with its account, environment and scopes once it is issued', () => {
    const { text, issued, row } = example('k1');
    const cache = cacheOf();
    cache.apply(issued);
    expect(cache.check(text, NOW)).toEqual({
      kind: 'key',
      key: {
        id: 'k1',
        accountId: 'account-of-k1',
        environment: 'live',
        scopes: ['read'],
        hash: row.hash,
        limits: [],
        rotations: [],
        revoked: false,
        expiresAt: null,
      },
    });
  });

  it('is malformed when it cannot be one of ours', () => {
    expect(codeOf(cacheOf(), 'sk_live_nonsense')).toBe('KEY_MALFORMED');
  });

  it('is unknown when it was never issued, or issued under another pepper', () => {
    const { text, row } = example('k1');
    const other = new KeyCache(Buffer.alloc(32, 8), PREFIXES);
    other.load([row]);
    expect(codeOf(cacheOf(), mintKey('sk_live_'))).toBe('KEY_UNKNOWN');
    expect(codeOf(other, text)).toBe('KEY_UNKNOWN');
  });

  it('expires at the instant that it names', () => {
    const { text, issued } = example('k1', new Date(NOW).toISOString());
    const cache = cacheOf();
    cache.apply(issued);
    expect(codeOf(cache, text, NOW - 1)).toBe('valid');
    expect(codeOf(cache, text, NOW)).toBe('KEY_EXPIRED');
  });

  it('is revoked rather than expired when it is both', () => {
    const { text, issued, revoked } = example('k1', new Date(NOW).toISOString());
    const cache = cacheOf();
    for (const event of [issued, revoked]) cache.apply(event);
    expect(codeOf(cache, text, NOW + 1)).toBe('KEY_REVOKED');
  });

  it('is not touched by events of other streams', () => {
    const { text, issued } = example('k1');
    const cache = cacheOf();
    cache.apply(issued);
    cache.apply(example('k2').revoked);
    expect(codeOf(cache, text)).toBe('valid');
  });
});

describe('a secret that was replaced by a clock that was an hour ahead', () => {
  const AHEAD = 3_600_000;
  const [first, second] = [mintKey('sk_live_'), mintKey('sk_live_')];
  const rotationOf = (graceMs: number) => ({
    revision: 1,
    at: new Date(NOW + AHEAD).toISOString(),
    hash: hashKey(PEPPER, second),
    prefix: 'sk_live_',
    last4: second.slice(-4),
    graceEndsAt: new Date(NOW + AHEAD + graceMs).toISOString(),
  });
  const cacheWith = (graceMs: number, time: () => number): KeyCache => {
    const cache = new KeyCache(PEPPER, PREFIXES, time);
    const { row } = example('k1');
    cache.load([{ ...row, hash: hashKey(PEPPER, first), rotations: [rotationOf(graceMs)] }]);
    return cache;
  };

  it('stops at once where it was given no grace', () => {
    const cache = cacheWith(0, () => 0);
    expect([codeOf(cache, first), codeOf(cache, second)]).toEqual(['KEY_ROTATED', 'valid']);
  });

  it('works no longer than its grace from when this is known', () => {
    let passed = 0;
    const cache = cacheWith(10_000, () => passed);
    passed = 9_999;
    expect(codeOf(cache, first, NOW + passed)).toBe('valid');
    passed = 10_000;
    expect(codeOf(cache, first, NOW + passed)).toBe('KEY_ROTATED');
  });
});

/**
 * The race: a node loads a key's row, and while the row is under way the revocation comes in by its own
 * command or by the reader; the reader brings both events again later. Whatever the order, a revocation
 * that was once applied must hold.
 */
describe('law 8: a revocation', () => {
  it('gives the same answer in whatever order and however often events and rows come', () => {
    const kinds = ['issued', 'revoked', 'row', 'revokedRow'] as const;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds), { maxLength: 12 }), (arrivals) => {
        const key = example('k1');
        const cache = cacheOf();
        const seen = new Set<string>();
        for (const arrival of arrivals) {
          if (arrival === 'issued' || arrival === 'revoked') cache.apply(key[arrival]);
          else cache.load([key[arrival]]);
          seen.add(arrival);
          const known = seen.has('issued') || seen.has('row') || seen.has('revokedRow');
          const revoked = seen.has('revoked') || seen.has('revokedRow');
          expect(codeOf(cache, key.text)).toBe(!known ? 'KEY_UNKNOWN' : revoked ? 'KEY_REVOKED' : 'valid');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is not lost to a load that began before it', () => {
    const { text, issued, revoked, row } = example('k1');
    const cache = cacheOf();
    cache.apply(issued);
    cache.apply(revoked);
    cache.load([row]);
    expect(codeOf(cache, text)).toBe('KEY_REVOKED');
  });

  it('holds also where it arrives before the key itself', () => {
    const { text, issued, revoked } = example('k1');
    const cache = cacheOf();
    cache.apply(revoked);
    cache.apply(issued);
    expect(codeOf(cache, text)).toBe('KEY_REVOKED');
  });

  it('counts the key once', () => {
    const { issued, revoked, row } = example('k1');
    const cache = cacheOf();
    cache.apply(issued);
    cache.load([row]);
    cache.apply(revoked);
    expect(cache.size).toBe(1);
  });
});

describe('a rotated key', () => {
  const at = (cache: KeyCache, texts: readonly string[], now: number): string[] =>
    texts.map((text) => codeOf(cache, text, now));

  it('answers to each secret until the grace of the next one ends', () => {
    const { texts, arrivals } = rotatedExample('k1');
    const cache = cacheOf();
    for (const event of arrivals) cache.apply(event);
    expect(at(cache, texts, NOW)).toEqual(['valid', 'valid', 'valid']);
    expect(at(cache, texts, NOW + 10_000)).toEqual(['KEY_ROTATED', 'valid', 'valid']);
    expect(at(cache, texts, NOW + 19_999)).toEqual(['KEY_ROTATED', 'valid', 'valid']);
    expect(at(cache, texts, NOW + 20_000)).toEqual(['KEY_ROTATED', 'KEY_ROTATED', 'valid']);
    const ids = texts
      .map((text) => cache.check(text, NOW))
      .map((check) => check.kind === 'key' && check.key.id);
    expect(ids).toEqual(['k1', 'k1', 'k1']);
  });

  it('is the same in whatever order and however often events and rows come', () => {
    const { texts, arrivals, rows } = rotatedExample('k1');
    const everything = [
      ...arrivals.map((_, i) => ['event', i] as const),
      ...rows.map((_, i) => ['row', i] as const),
    ];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(everything, { minLength: 0 }),
        fc.array(fc.constantFrom(...everything), { maxLength: 4 }),
        (some, again) => {
          const cache = cacheOf();
          for (const [kind, i] of [...some, ...again]) {
            if (kind === 'event') cache.apply(arrivals[i] as StoredEvent);
            else cache.load([rows[i] as KnownKeyRow]);
          }
          // In the end everything comes.
          for (const event of arrivals) cache.apply(event);
          expect(at(cache, texts, NOW + 10_000)).toEqual(['KEY_ROTATED', 'valid', 'valid']);
          expect(at(cache, texts, NOW + 20_000)).toEqual(['KEY_ROTATED', 'KEY_ROTATED', 'valid']);
          expect(cache.size).toBe(1);
        },
      ),
    );
  });

  it('is refused under all its secrets once it is revoked', () => {
    const { texts, arrivals } = rotatedExample('k1');
    const cache = cacheOf();
    for (const event of arrivals) cache.apply(event);
    cache.apply(stored('k1', 3, { type: 'KeyRevoked', data: { accountId: 'account-of-k1', by: 'user:u' } }));
    expect(at(cache, texts, NOW)).toEqual(['KEY_REVOKED', 'KEY_REVOKED', 'KEY_REVOKED']);
  });
});
