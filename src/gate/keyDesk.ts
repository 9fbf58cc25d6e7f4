import type { KnownKey } from '../keys/cache.js';
import type { KeyDesk, Standing } from '../keys/verify.js';
import { Outage } from '../outage.js';
import type { Meter } from '../plans/meters.js';
import type { Profile } from '../plans/profile.js';
import { DEMO_ACCOUNT, metersOf, usageTermsOf } from '../plans/profile.js';
import { PRICED_ELSEWHERE } from '../usage/events.js';
import type { LimitState, MeterAmounts } from '../usage/limits/limiter.js';
import type { LimitStates } from '../usage/limits/limitStates.js';
import { statusOf } from '../usage/limits/limitTypes.js';
import type { Reservations } from '../usage/reservations/reservations.js';
import { reservationOf } from '../usage/reservations/reservationTypes.js';
import type { Gate } from './gate.js';

type Visitor = Parameters<Gate['headers']>[0];

/** What verifyKey asks: the gate that every call passes. */
export function createKeyDesk(
  gate: Gate,
  limitStates: LimitStates,
  reservations: Pick<Reservations, 'reserve'>,
  profile: () => Profile,
): KeyDesk {
  const meters = (): readonly Meter[] => metersOf(profile());
  const shown = (states: readonly LimitState[]) => {
    const known = meters();
    return states.map((state) => statusOf(state, known));
  };
  /** @param states undefined where they are not known yet */
  const standing = async (visitor: Visitor, states: readonly LimitState[] | undefined): Promise<Standing> => {
    const headers = await gate.headers(visitor, states, { demo: true });
    // How long the call takes the API behind knows alone.
    return { limits: shown(states ?? []), headers: headers.filter(([name]) => name !== 'x-response-time') };
  };
  return {
    find: async (secret) => {
      // Blanks around it are none of its own, as in a header (RFC 9110, section 5.5).
      const caller = await gate.authenticate({ 'x-api-key': secret.replace(/^[ \t]+|[ \t]+$/g, '') });
      if (caller.kind === 'key') return caller.key;
      const code = caller.kind === 'refused' ? caller.code : 'KEY_MALFORMED';
      if (code === 'TRY_AGAIN') throw new Outage('nobody can tell whether the key is good');
      return code;
    },
    demo: (address, usageTime) => gate.demoKey(address, usageTime),
    standing: async (key, usageTime) => {
      const { accountId, environment } = key;
      const states = await limitStates.of({ accountId, environment, now: usageTime, key });
      return standing(holderOf(key, usageTime), states);
    },
    nobody: (usageTime) => standing(visitorOf({ kind: 'anonymous' }, usageTime), undefined),
    spend: async (key, spending, usageTime) => {
      const { reserve, useId, named, subject, quantities, endpoint, method, operation, source } = spending;
      const work = { endpoint, method, operation, source };
      // Whatever may come again has an id of its own, by which it is found.
      if (useId !== undefined) {
        const { reservationSeconds, onExpiry } = usageTermsOf(profile());
        const payer = { accountId: key.accountId, environment: key.environment, keyId: key.id };
        const terms = { expiresAt: usageTime + reservationSeconds * 1000, onExpiry };
        const amounts = { requests: 1, ...quantities };
        const asked = { id: useId, named, payer, amounts, work, terms, final: !reserve, subject };
        const reserved = await reservations.reserve(asked, usageTime);
        if (reserved.kind === 'invalid') return { kind: 'reused' };
        const stands = await standing(holderOf(key, usageTime), reserved.states);
        if (reserved.kind === 'refused') return { ...reserved, ...stands };
        const reservation = reserve ? reservationOf(reserved.reservation, meters()) : null;
        return { kind: 'spent', useId, ...stands, reservation };
      }
      const { cost } = quantities;
      const outcome = await gate.run(
        holderOf(key, usageTime),
        {
          ...work,
          quantities: cost === undefined ? quantities : withoutCost(quantities),
          // Which scopes the use needs, verifyKey has asked.
          access: [],
          metering: 'governed',
          demo: false,
          rootFields: [],
          writes: true,
          cost: cost === undefined ? null : { estimate: cost, version: PRICED_ELSEWHERE },
        },
        () => ({ result: undefined, status: 'ok', patterns: [], actualCost: cost ?? null }),
      );
      if (outcome.kind === 'refused') {
        const { code, retryAfterMs, states } = outcome;
        return { kind: 'refused', code, retryAfterMs, ...(await standing(holderOf(key, usageTime), states)) };
      }
      if (!outcome.use) throw new Error('a governed call without a use');
      const { useId: minted, states } = outcome.use;
      const stands = await standing(holderOf(key, usageTime), states);
      return { kind: 'spent', useId: minted, ...stands, reservation: null };
    },
  };
}

/** A call says what it costs beside its quantities. */
function withoutCost({ cost: _, ...others }: MeterAmounts): MeterAmounts {
  return others;
}

/** Whoever has called the back end; from where is said of those alone who have no key. */
const holderOf = (key: KnownKey, usageTime: number): Visitor =>
  visitorOf(
    key.accountId.startsWith(DEMO_ACCOUNT)
      ? { kind: 'demo', key }
      : { kind: 'key', accountId: key.accountId, key, operator: false },
    usageTime,
  );

const visitorOf = (caller: Visitor['caller'], usageTime: number): Visitor => ({
  caller,
  address: undefined,
  requestId: undefined,
  usageTime,
  started: performance.now(),
});
