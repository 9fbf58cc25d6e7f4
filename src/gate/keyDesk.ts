import type { KnownKey } from '../keys/cache.js';
import type { KeyDesk } from '../keys/verify.js';
import { Outage } from '../outage.js';
import type { Meter } from '../plans/meters.js';
import type { Profile } from '../plans/profile.js';
import { metersOf, usageTermsOf } from '../plans/profile.js';
import { PRICED_ELSEWHERE } from '../usage/events.js';
import type { LimitState } from '../usage/limiter.js';
import type { LimitStates } from '../usage/limitStates.js';
import { statusOf } from '../usage/limitTypes.js';
import type { Reservations } from '../usage/reservations.js';
import { reservationOf } from '../usage/reservationTypes.js';
import type { Gate } from './gate.js';

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
  return {
    find: async (secret) => {
      // Blanks around it are none of its own, as in a header (RFC 9110, section 5.5).
      const caller = await gate.authenticate({ 'x-api-key': secret.replace(/^[ \t]+|[ \t]+$/g, '') });
      if (caller.kind === 'key') return caller.key;
      const code = caller.kind === 'refused' ? caller.code : 'KEY_MALFORMED';
      if (code === 'TRY_AGAIN') throw new Outage('nobody can tell whether the key is good');
      return code;
    },
    limits: async (key, usageTime) => {
      const { accountId, environment } = key;
      return shown(await limitStates.of({ accountId, environment, now: usageTime, key }));
    },
    spend: async (key, { reserve, useId, subject, ...spending }, usageTime) => {
      const {
        quantities: { cost, ...quantities },
        ...use
      } = spending;
      // Whatever may come again has an id of its own, by which it is found.
      if (useId !== undefined) {
        const { reservationSeconds, onExpiry } = usageTermsOf(profile());
        const payer = { accountId: key.accountId, environment: key.environment, keyId: key.id };
        const terms = { expiresAt: usageTime + reservationSeconds * 1000, onExpiry };
        const amounts = { requests: 1, ...spending.quantities };
        const asked = { id: useId, payer, amounts, work: use, terms, final: !reserve, subject };
        const reserved = await reservations.reserve(asked, usageTime);
        if (reserved.kind === 'invalid') return { kind: 'reused' };
        const limits = shown(reserved.states);
        if (reserved.kind === 'refused') return { ...reserved, limits };
        const reservation = reserve ? reservationOf(reserved.reservation, meters()) : null;
        return { kind: 'spent', useId, limits, reservation };
      }
      const outcome = await gate.run(
        holderOf(key, usageTime),
        {
          ...use,
          quantities,
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
        const { code, retryAfterMs, states = [] } = outcome;
        return { kind: 'refused', code, retryAfterMs, limits: shown(states) };
      }
      if (!outcome.use) throw new Error('a governed call without a use');
      const { useId: minted, states } = outcome.use;
      return { kind: 'spent', useId: minted, limits: shown(states), reservation: null };
    },
  };
}

/** Whoever sent the key to the back end; from where, the back end does not say. */
const holderOf = (key: KnownKey, usageTime: number): Parameters<Gate['run']>[0] => ({
  caller: { kind: 'key', accountId: key.accountId, key, operator: false },
  address: undefined,
  requestId: undefined,
  usageTime,
});
