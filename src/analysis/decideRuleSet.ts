import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { textProblem } from '../text/text.js';
import type { RuleSetEvent } from './events.js';

/** Of one account. */
export const MAX_RULE_SETS = 20;
/** Of one set: its stream is read whole. */
export const MAX_VERSIONS = 100;
/** Characters. */
export const MAX_NAME = 100;

/** Rules that were checked, with their name: as they were given, and as events hold them. */
interface Given {
  readonly name: string;
  readonly sealed: string;
}

export type RuleSetCommand =
  | {
      readonly type: 'CreateRuleSet';
      readonly accountId: string;
      readonly by: string;
      readonly content: Given;
      /** How many the account has. */
      readonly present: number;
    }
  | {
      readonly type: 'UpdateRuleSet';
      readonly accountId: string;
      readonly by: string;
      readonly content: Given;
    }
  | { readonly type: 'DeleteRuleSet'; readonly accountId: string; readonly by: string };

export interface RuleSetState {
  /** Undefined before it is made, and once it is deleted. */
  readonly accountId: string | undefined;
  /** The content of each version, sealed: the first is version 1. */
  readonly versions: readonly string[];
}

const NOT_FOUND = refuse('NOT_FOUND', 'There is no rule set with this id.');

export const ruleSetDecider: Decider<RuleSetState, RuleSetCommand, RuleSetEvent> = {
  initial: { accountId: undefined, versions: [] },

  evolve: ({ accountId, versions }, { type, data }) => {
    switch (type) {
      case 'RuleSetCreated':
        return { accountId: data.accountId, versions: [data.content] };
      case 'RuleSetUpdated':
        return { accountId, versions: [...versions, data.content] };
      case 'RuleSetDeleted':
        return { accountId: undefined, versions: [] };
    }
  },

  decide: ({ accountId: owner, versions }, command) => {
    const { accountId, by } = command;
    // Another account's is as good as none.
    if (command.type !== 'CreateRuleSet' && owner !== accountId) return NOT_FOUND;
    if (command.type === 'DeleteRuleSet') return accept({ type: 'RuleSetDeleted', data: { accountId, by } });
    const { name, sealed: content } = command.content;
    const problem = textProblem('name', name, { min: 1, max: MAX_NAME });
    if (problem !== undefined) return refuse('INVALID_INPUT', problem, 'name');
    if (command.type === 'CreateRuleSet') {
      return command.present < MAX_RULE_SETS
        ? accept({ type: 'RuleSetCreated', data: { accountId, content, by } })
        : refuse(
            'TOO_MANY_RULE_SETS',
            `An account has at most ${MAX_RULE_SETS} rule sets. Delete one first.`,
          );
    }
    if (versions.length >= MAX_VERSIONS) {
      return refuse('TOO_MANY_RULE_SETS', `A rule set has at most ${MAX_VERSIONS} versions. Make a new one.`);
    }
    return accept({
      type: 'RuleSetUpdated',
      data: { accountId, version: versions.length + 1, content, by },
    });
  },
};
