import type { AccountEvent } from '../accounts/events.js';
import type { Blobs } from '../blobs/blobs.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Position } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import type { PersonalData } from '../secrets/personalData.js';
import { analysisDecider } from './decide.js';
import { ruleSetDecider } from './decideRuleSet.js';
import type { AnalysisEvent, RuleSetEvent } from './events.js';
import { analysisStream, ruleSetStream } from './events.js';

const DELETE = 'delete-analyses';
const DELETE_RULES = 'delete-rule-sets';

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

/**
 * The rule sets of a deleted account are deleted.
 * @param setsOf ids of what the account has, as of `position` or later; throws when it can't tell yet
 */
export const deleteRuleSets = (
  commands: CommandHandler,
  setsOf: (accountId: string, position: Position) => Promise<readonly string[]>,
): Policy => ({
  name: DELETE_RULES,
  handles: new Set<AccountEvent['type']>(['AccountDeleted']),
  react: async (event) => {
    const { streamId: accountId, position } = event;
    for (const id of await setsOf(accountId, position)) {
      await commands.handle(
        ruleSetDecider,
        ruleSetStream(id),
        { type: 'DeleteRuleSet', accountId, by: `policy:${DELETE_RULES}` },
        causedBy(event, DELETE_RULES),
      );
    }
  },
});

/** Nobody can read the rules of a deleted set any more. */
export const eraseRuleSet = (personal: Pick<PersonalData, 'erase'>): Policy => ({
  name: 'erase-rule-set',
  handles: new Set<RuleSetEvent['type']>(['RuleSetDeleted']),
  react: ({ streamId }) => personal.erase([streamId]),
});
