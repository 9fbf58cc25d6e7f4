import type { AccountEvent } from '../accounts/events.js';
import type { Blobs } from '../blobs/blobs.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Position } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import { analysisDecider } from './decide.js';
import type { AnalysisEvent } from './events.js';
import { analysisStream } from './events.js';

const DELETE = 'delete-analyses';

/**
 * The analyses of a deleted account are deleted.
 * @param analysesOf ids of what the account has, as of `position` or later; throws when it can't tell yet
 */
export function deleteAnalyses(
  commands: CommandHandler,
  analysesOf: (accountId: string, position: Position) => Promise<readonly string[]>,
): Policy {
  return {
    name: DELETE,
    handles: new Set<AccountEvent['type']>(['AccountDeleted']),
    react: async (event) => {
      const { streamId: accountId, position } = event;
      for (const id of await analysesOf(accountId, position)) {
        await commands.handle(
          analysisDecider,
          analysisStream(id),
          { type: 'DeleteAnalysis', accountId, by: `policy:${DELETE}` },
          causedBy(event, DELETE),
        );
      }
    },
  };
}

/** Of a deleted analysis, file and result are shredded, whatever became of the call that has deleted it. */
export const shredAnalysis = (blobs: Blobs): Policy => ({
  name: 'shred-analysis',
  handles: new Set<AnalysisEvent['type']>(['AnalysisDeleted']),
  react: ({ streamId }) => blobs.shredSubject(streamId),
});
