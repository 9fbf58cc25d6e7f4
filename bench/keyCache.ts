import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { KnownKeyRow } from '../projections/keys/queries.js';
import { hashKey, KeyCache } from '../src/keys/cache.js';
import { mintKey } from '../src/keys/format.js';
import { median } from './statistics.js';

const KEYS = 100_000;
/** Of them so many are asked for, in turn. */
const ASKED = 1_000;
const PEPPER = Buffer.alloc(32, 7);
const PREFIXES = ['sk_live_', 'sk_test_'];

export interface KeyCacheFigures {
  /** CPU of one check, in microseconds. */
  readonly knownUs: number;
  /** The same for a key that is well formed and that nobody has: it is answered from memory too. */
  readonly unknownUs: number;
  /** What 100,000 keys take, in MB of 10^6 bytes. */
  readonly megabytes: number;
}

/** What the cache of all keys takes, in time and memory. */
export function benchKeyCache(rounds: number): KeyCacheFigures {
  const asked = Array.from({ length: ASKED }, () => mintKey('sk_live_'));
  const unknown = Array.from({ length: ASKED }, () => mintKey('sk_live_'));
  const cache = new KeyCache(PEPPER, PREFIXES);
  const before = used();
  cache.load(rows(asked));
  const megabytes = (used() - before) / 1e6;

  const now = Date.now();
  const cpuUs = (keys: readonly string[], expected: string): number => {
    const started = process.cpuUsage();
    for (const key of keys) {
      if (cache.check(key, now).kind !== expected) throw new Error('the cache answers something else');
    }
    const { user, system } = process.cpuUsage(started);
    return (user + system) / keys.length;
  };
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.known.push(cpuUs(asked, 'key'));
    times.unknown.push(cpuUs(unknown, 'refused'));
  }
  // The first rounds are compiled under way.
  const half = Math.floor(rounds / 2);
  return {
    knownUs: median(times.known.slice(half)),
    unknownUs: median(times.unknown.slice(half)),
    megabytes,
  };
}

/** As texts come from the database; what randomUUID makes is a tree of pieces, eight times as large. */
const id = (): string => Buffer.from(crypto.randomUUID()).toString('latin1');

/** As the read model gives them, each text by itself. */
function* rows(asked: readonly string[]): Generator<KnownKeyRow> {
  for (let i = 0; i < KEYS; i++) {
    yield {
      id: id(),
      account_id: id(),
      environment: 'live',
      scopes: ['read'],
      hash: hashKey(PEPPER, asked[i] ?? `key-${i}`),
      limits: [],
      rotations: [],
      expires_at: null,
      revoked_at: null,
    };
  }
}

/** Bytes in use after everything that can be collected has been. */
function used(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
