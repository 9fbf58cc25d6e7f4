import type { Authenticate } from './authenticate.js';
import type { KeyDesk } from '../keys/verify.js';
import { Outage } from '../outage.js';
import type { PlanOf } from '../graphql/kit/context.js';
import type { Governor } from '../usage/governor.js';
import type { LimitState } from '../usage/limiter.js';
import type { LimitStates } from '../usage/limitStates.js';
import { statusOf } from '../usage/types.js';

/** Names what priced a use that a back end reports: nobody here has. */
const PRICED_ELSEWHERE = 'given';

/** What verifyKey asks: the same that decides over calls of GraphQL. */
export function createKeyDesk(
  authenticate: Authenticate,
  standing: LimitStates,
  governor: Governor,
  planOf: PlanOf,
): KeyDesk {
  const shown = (states: readonly LimitState[]) => states.map(statusOf);
  return {
    find: async (secret) => {
      const caller = await authenticate({ 'x-api-key': secret });
      if (caller.kind === 'key') return caller.key;
      const code = caller.kind === 'refused' ? caller.code : 'KEY_MALFORMED';
      if (code === 'TRY_AGAIN') throw new Outage('nobody can tell whether the key is good');
      return code;
    },
    limits: async (key, now) => {
      const { accountId, environment } = key;
      return shown(await standing.of({ accountId, environment, now, key }));
    },
    spend: async (key, { cost, ...use }, now) => {
      const governed = await governor.run(
        {
          key,
          plan: planOf(key.accountId),
          now,
          ...use,
          rootFields: [],
          address: undefined,
          writes: true,
          cost: cost === null ? null : { estimate: cost, version: PRICED_ELSEWHERE },
        },
        () => ({ result: undefined, status: 'ok', patterns: [], actualCost: cost }),
      );
      const limits = shown(governed.states);
      if (governed.kind === 'answered') return { kind: 'spent', useId: governed.useId, limits };
      const { code, retryAfterMs } = governed;
      return { kind: 'refused', code, retryAfterMs, limits };
    },
  };
}
