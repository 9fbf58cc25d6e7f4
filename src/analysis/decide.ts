import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type {
  AnalysisEvent,
  AnalysisFailure,
  Counts,
  FileFacts,
  PaidByCredits,
  ReadAs,
  RulesRef,
} from './events.js';

export type AnalysisCommand =
  | {
      readonly type: 'RequestAnalysis';
      readonly accountId: string | null;
      readonly intent: string | null;
      readonly credits: PaidByCredits | null;
      /** Why it cannot be asked for yet: a sentence. */
      readonly unpaid?: string | undefined;
      readonly readAs: ReadAs;
      /** The account's rules for it; null for the service's own. */
      readonly ruleSet: RulesRef | null;
      readonly notify: boolean;
      /** Where it comes with the request. */
      readonly file?: FileFacts;
    }
  | { readonly type: 'ReceiveFile'; readonly file: FileFacts }
  | {
      readonly type: 'CompleteAnalysis';
      readonly counts: Counts;
      readonly result: FileFacts | null;
      readonly rulesVersion: number;
    }
  | { readonly type: 'FailAnalysis'; readonly reason: AnalysisFailure }
  | { readonly type: 'RecordRefund'; readonly refund: string }
  | { readonly type: 'DeleteAnalysis'; readonly accountId: string | null; readonly by: string };

export interface AnalysisState {
  /** Undefined before it is asked for. */
  readonly request: Extract<AnalysisEvent, { type: 'AnalysisRequested' }>['data'] | undefined;
  readonly file: FileFacts | undefined;
  readonly ended: 'completed' | 'failed' | undefined;
  readonly refund: 'due' | 'done' | undefined;
  readonly deleted: boolean;
}

const NOT_FOUND = refuse('NOT_FOUND', 'There is no analysis with this id.');

export const analysisDecider: Decider<AnalysisState, AnalysisCommand, AnalysisEvent> = {
  initial: { request: undefined, file: undefined, ended: undefined, refund: undefined, deleted: false },

  evolve: (state, { type, data }) => {
    switch (type) {
      case 'AnalysisRequested':
        return { ...state, request: data };
      case 'AnalysisFileReceived':
        return { ...state, file: data.file };
      case 'AnalysisCompleted':
        return { ...state, ended: 'completed' };
      case 'AnalysisFailed':
        return { ...state, ended: 'failed', refund: data.refund ? 'due' : undefined };
      case 'AnalysisRefunded':
        return { ...state, refund: 'done' };
      case 'AnalysisDeleted':
        return { ...state, deleted: true };
    }
  },

  decide: ({ request, file, ended, refund, deleted }, command) => {
    if (command.type === 'RequestAnalysis') {
      if (request) return accept();
      if (command.unpaid !== undefined) return refuse('PAYMENT_REQUIRED', command.unpaid);
      const { accountId, intent, credits, readAs, ruleSet, notify } = command;
      const data = { accountId, intent, credits, readAs, ruleSet, notify };
      const events: AnalysisEvent[] = [{ type: 'AnalysisRequested', data }];
      if (command.file) events.push({ type: 'AnalysisFileReceived', data: { file: command.file } });
      return accept(...events);
    }
    if (!request) return NOT_FOUND;
    switch (command.type) {
      case 'ReceiveFile':
        if (deleted) return NOT_FOUND;
        if (file?.hash === command.file.hash) return accept();
        if (file) return refuse('FILE_RECEIVED', 'This analysis has its file: create another one.');
        return accept({ type: 'AnalysisFileReceived', data: { file: command.file } });
      case 'CompleteAnalysis':
        // Whoever was first has ended it; of what was deleted nothing is kept.
        if (ended || deleted || !file) return accept();
        return accept({
          type: 'AnalysisCompleted',
          data: { counts: command.counts, result: command.result, rulesVersion: command.rulesVersion },
        });
      case 'FailAnalysis': {
        if (ended) return accept();
        const { reason } = command;
        const paid = (request.intent !== null || request.credits !== null) && reason !== 'payment';
        return accept({ type: 'AnalysisFailed', data: { reason, refund: paid } });
      }
      case 'RecordRefund':
        return refund === 'due'
          ? accept({ type: 'AnalysisRefunded', data: { refund: command.refund } })
          : accept();
      case 'DeleteAnalysis': {
        const { accountId, by } = command;
        // Another account's is as good as none.
        if (request.accountId !== accountId) return NOT_FOUND;
        return deleted ? accept() : accept({ type: 'AnalysisDeleted', data: { accountId, by } });
      }
    }
  },
};
