import type { KnownKey } from '../keys/cache.js';
import type { KeyDesk } from '../keys/verify.js';
import { Outage } from '../outage.js';
import type { Meter } from '../plans/meters.js';
import type { LimitState } from '../usage/limiter.js';
import type { LimitStates } from '../usage/limitStates.js';
import { statusOf } from '../usage/limitTypes.js';
import type { Gate, Visitor } from './gate.js';

/** Names what priced a use that a back end reports: nobody here has. */
const PRICED_ELSEWHERE = 'given';

/** What verifyKey asks: the gate that every call passes. */
export function createKeyDesk(gate: Gate, limitStates: LimitStates, meters: () => readonly Meter[]): KeyDesk {
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
    limits: async (key, now) => {
      const { accountId, environment } = key;
      return shown(await limitStates.of({ accountId, environment, now, key }));
    },
    spend: async (key, { quantities: { cost, ...quantities }, ...use }, now) => {
      const outcome = await gate.run(
        holderOf(key, now),
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
      return { kind: 'spent', useId: outcome.use.useId, limits: shown(outcome.use.states) };
    },
  };
}

/** Whoever sent the key to the back end; from where, the back end does not say. */
const holderOf = (key: KnownKey, now: number): Visitor => ({
  caller: { kind: 'key', accountId: key.accountId, key, operator: false },
  address: undefined,
  now,
  started: performance.now(),
});
