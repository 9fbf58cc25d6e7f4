import type { Capability } from '../capability.js';
import { as } from '../eventsourcing/event.js';
import { inReach } from '../graphql/kit/access.js';
import { shownPlan } from '../plans/planTypes.js';
import { metersOf } from '../plans/profile.js';
import { audited } from './audited.js';
import { KeyCache } from './cache.js';
import type { KeyEvent } from './events.js';
import { OperatorKeysResolver } from './operatorResolvers.js';
import { revokeKeys } from './policies.js';
import { publicEvents } from './publicEvents.js';
import { AccountKeysResolver, KeyFieldsResolver, KEYS_ACCESS, KeysResolver } from './resolvers.js';
import { keyOf } from './types.js';
import { keyRoutes } from './routes.js';
import { VerifyKey } from './verify.js';
import { VerifyKeyResolver } from './verifyResolvers.js';

export const keys: Capability = {
  streams: ['key'],
  audited,
  publicEvents,
  policies: ({ commands, queries, asOf }) => [
    revokeKeys(
      commands,
      asOf('keys', (accountId) => queries.keys.unrevoked(accountId)),
    ),
  ],
  memory: async ({ queries, secrets, profile }) => {
    const cache = new KeyCache(secrets.KEY_PEPPER, [profile.keys.live, profile.keys.test]);
    cache.load(await queries.keys.known());
    return { keys: cache };
  },
  ends: { KeyRevoked: (event) => as<KeyEvent>(event).data.accountId },
  graphql: {
    resolvers: [
      KeysResolver,
      KeyFieldsResolver,
      AccountKeysResolver,
      VerifyKeyResolver,
      OperatorKeysResolver,
    ],
    create: ({
      commands,
      keySecrets,
      queries,
      cursors,
      positions,
      sender,
      keyDesk,
      limitStates,
      planOf,
      operatorAction,
      memory,
      standingIn,
    }) => {
      const meters = () => metersOf(memory.plans.profile);
      return {
        resolvers: [
          new KeysResolver(keySecrets, commands, positions, sender, meters, memory.operators),
          new KeyFieldsResolver(
            (id) => memory.keys.byId(id),
            (key, now) => limitStates.of({ ...key, key, now }),
            meters,
          ),
          new AccountKeysResolver(queries.keys, cursors, meters),
          new VerifyKeyResolver(new VerifyKey(keyDesk), (account) => shownPlan(planOf(account).plan), meters),
          new OperatorKeysResolver(commands, operatorAction, positions, meters),
        ],
        nodes: {
          Key: async (ids, context) => {
            const rows = await queries.keys.byIds(ids);
            // As with the list of keys, in the account of each.
            const seen = await inReach(rows, ({ account_id: id }) => standingIn(context, id), KEYS_ACCESS);
            return seen.map((row) => keyOf(row, meters()));
          },
        },
      };
    },
    notAwaited: ['verifyKey'],
  },
  routes: ({ keyDesk, planOf, memory }) =>
    keyRoutes(
      new VerifyKeyResolver(
        new VerifyKey(keyDesk),
        (account) => shownPlan(planOf(account).plan),
        () => metersOf(memory.plans.profile),
      ),
    ),
};
