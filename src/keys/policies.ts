import type { AccountEvent } from '../accounts/events.js';
import { accountStream } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Position } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import { keyDecider } from './decide.js';
import type { KeyEvent } from './events.js';
import { keyStream } from './events.js';

const NAME = 'revoke-keys';

/**
 * The keys of a deleted account are revoked: those that were issued before, and one that a request
 * which was under way still issues afterwards.
 * @param keysOf ids of the account's keys that work, as of `position` or later; throws when it can't tell yet
 */
export function revokeKeys(
  commands: CommandHandler,
  keysOf: (accountId: string, position: Position) => Promise<readonly string[]>,
): Policy {
  return {
    name: NAME,
    handles: new Set(['AccountDeleted', 'KeyIssued']),
    react: async (event) => {
      const { type, data } = as<AccountEvent | KeyEvent>(event);
      let accountId = event.streamId;
      let keyIds: readonly string[];
      if (type === 'KeyIssued') {
        ({ accountId } = data);
        const history = await commands.load(accountStream(accountId));
        if (history.at(-1)?.type !== 'AccountDeleted') return;
        keyIds = [event.streamId];
      } else {
        keyIds = await keysOf(accountId, event.position);
      }
      for (const keyId of keyIds) {
        await commands.handle(
          keyDecider,
          keyStream(keyId),
          { type: 'RevokeKey', accountId, by: `policy:${NAME}` },
          causedBy(event, NAME),
        );
      }
    },
  };
}
