import { canonicalJson } from '../canonicalJson.js';
import type { Decider } from '../eventsourcing/decider.js';
import { accept } from '../eventsourcing/decider.js';
import type { PatternContent, PatternEvent } from './events.js';

/** Makes the content the pattern's content, whether that publishes, revises or changes nothing. */
export type PublishPattern = PatternContent;

export const patternDecider: Decider<PatternContent | undefined, PublishPattern, PatternEvent> = {
  initial: undefined,
  evolve: (_state, event) => event.data,
  decide: (state, content) => {
    if (!state) return accept({ type: 'PatternPublished', data: content });
    if (canonicalJson(state) === canonicalJson(content)) return accept();
    return accept({ type: 'PatternRevised', data: content });
  },
};
