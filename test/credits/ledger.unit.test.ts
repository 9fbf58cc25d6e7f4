import fc from 'fast-check';
import type { CreditCommand } from '../../src/credits/decide.js';
import { creditDecider } from '../../src/credits/decide.js';
import type { UseSoFar } from '../../src/credits/events.js';
import type { CreditState } from '../../src/credits/state.js';
import { availableOf } from '../../src/credits/state.js';

const DAY = 86_400_000;
const START = Date.parse('2027-02-01T00:00:00Z');
const CLOSE_AFTER = 30 * 60_000;
const at = (day: number): string => new Date(START + day * DAY).toISOString();
const END = at(28);

/** Units above what is included, by the day on which they were used. */
class Uses {
  readonly byDay: number[] = [];

  add(day: number, units: number): void {
    this.byDay[day] = (this.byDay[day] ?? 0) + units;
  }

  soFar(now: string): UseSoFar {
    const sum = (from: number): number =>
      this.byDay.reduce((total, units, day) => (day >= from ? total + units : total), 0);
    const overFrom = (expiresAt: string): number => sum((Date.parse(expiresAt) - START) / DAY);
    const use = { part: 'p', meter: 'calls', until: END, over: sum(0), rate: 1, overFrom };
    return { uses: [use], asOf: 1, now };
  }
}

interface NaiveGrant {
  readonly id: string;
  readonly amount: number;
  left: number;
  /** A day; undefined for never. */
  readonly expires: number | undefined;
  readonly priority: number;
  refunded: boolean;
  /** Expired or voided: nobody takes it back again. */
  gone: number;
}

/** What credits are, unit by unit: nothing is put off, and nothing is computed. */
class NaiveLedger {
  readonly grants: NaiveGrant[] = [];
  debt = 0;
  paid = 0;

  #inOrder(): NaiveGrant[] {
    return [...this.grants].sort(
      (a, b) => (a.expires ?? Infinity) - (b.expires ?? Infinity) || a.priority - b.priority || 0,
    );
  }

  use(day: number): void {
    if (this.debt > 0) return;
    const one = this.#inOrder().find(
      ({ left, expires }) => left > 0 && (expires === undefined || day < expires),
    );
    if (!one) return;
    one.left--;
    this.paid++;
  }

  grant(grant: Omit<NaiveGrant, 'left' | 'refunded' | 'gone'>): void {
    const owed = Math.min(this.debt, grant.amount);
    this.debt -= owed;
    this.grants.push({ ...grant, left: grant.amount - owed, refunded: false, gone: 0 });
  }

  expire(day: number): void {
    for (const one of this.grants) if (one.expires !== undefined && one.expires < day) this.#end(one);
  }

  void(id: string): void {
    for (const one of this.grants) if (one.id === id) this.#end(one);
  }

  #end(one: NaiveGrant): void {
    one.gone += one.left;
    one.left = 0;
  }

  refund(id: string): void {
    const own = this.grants.find((one) => one.id === id);
    if (!own || own.refunded) return;
    own.refunded = true;
    let missing = own.amount - own.gone;
    for (const one of [own, ...this.#inOrder().filter((other) => other !== own)]) {
      const taken = Math.min(one.left, missing);
      one.left -= taken;
      missing -= taken;
    }
    this.debt += missing;
  }
}

type Step =
  | { readonly kind: 'use'; readonly units: number }
  | {
      readonly kind: 'grant';
      readonly amount: number;
      readonly days: number | undefined;
      readonly priority: number;
    }
  | { readonly kind: 'draw' }
  | { readonly kind: 'void' | 'refund'; readonly which: number }
  /** Where nobody looks, what has expired is found out later. */
  | { readonly kind: 'next day'; readonly looked: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('use' as const), units: fc.integer({ min: 1, max: 12 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('grant' as const),
      amount: fc.integer({ min: 1, max: 20 }),
      days: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      priority: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'draw' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('void' as const, 'refund' as const), which: fc.nat(3) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('next day' as const), looked: fc.boolean() }),
  },
);

describe('credits', () => {
  it('are what a naive ledger says, whenever they are drawn', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const uses = new Uses();
        const naive = new NaiveLedger();
        let state: CreditState = creditDecider.initial;
        let day = 0;
        let now = at(0);
        const send = (command: CreditCommand): void => {
          const decision = creditDecider.decide(state, command);
          if (decision.kind === 'refused') throw new Error(decision.refusal.code);
          state = decision.events.reduce((before, event) => creditDecider.evolve(before, event), state);
        };
        const soFar = (): UseSoFar => uses.soFar(now);
        const expire = (): void => send({ type: 'ExpireCredits', soFar: soFar(), closeAfterMs: CLOSE_AFTER });
        for (const one of steps) {
          const id = 'which' in one ? naive.grants[one.which]?.id : undefined;
          switch (one.kind) {
            case 'use':
              uses.add(day, one.units);
              for (let unit = 0; unit < one.units; unit++) naive.use(day);
              break;
            case 'grant': {
              const expires = one.days === undefined ? undefined : day + one.days;
              const grantId = `g${naive.grants.length}`;
              const { amount, priority } = one;
              naive.grant({ id: grantId, amount, expires, priority });
              send({
                type: 'GrantCredits',
                grantId,
                amount,
                priority,
                expiresAt: expires === undefined ? null : at(expires),
                source: 'purchase',
                paid: { amount: 100, currency: 'usd' },
                payment: 'pi_1',
                by: 'test',
                soFar: soFar(),
              });
              break;
            }
            case 'draw':
              send({ type: 'DrawCredits', soFar: soFar() });
              break;
            case 'void':
              if (id === undefined) break;
              naive.void(id);
              expire();
              send({ type: 'VoidCredits', grantId: id, by: 'test', soFar: soFar() });
              break;
            case 'refund':
              if (id === undefined) break;
              naive.refund(id);
              expire();
              send({ type: 'RecordRefund', grantId: id, refunded: null, soFar: soFar() });
              break;
            case 'next day':
              day++;
              now = new Date(START + day * DAY + CLOSE_AFTER).toISOString();
              naive.expire(day + 1);
              if (one.looked) expire();
          }
          expect(availableOf(state)).toBeGreaterThanOrEqual(0);
        }
        expire();
        expect([...state.grants.values()].map(({ remaining }) => remaining)).toEqual(
          naive.grants.map(({ left }) => left),
        );
        expect(state.debt).toBe(naive.debt);
        const paid = [...state.judged.values()].reduce((sum, one) => sum + one.paid, 0);
        expect(paid).toBe(naive.paid);
      }),
      { numRuns: 300 },
    );
  });
});
