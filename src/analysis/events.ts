import type { BlobFacts } from '../blobs/store.js';
import type { Sealed } from '../secrets/personalData.js';

/** Hash and size of a body. */
export type FileFacts = BlobFacts;

/** As what a file is to be read; what is left out is recognised. */
export interface ReadAs {
  readonly format?: string;
  readonly encoding?: string;
  readonly languages?: readonly string[];
}

/** How much was found of what: names of the rules, and no word of the file. */
export interface Counts {
  readonly entries: number;
  readonly events: number;
  readonly patterns: Readonly<Record<string, number>>;
  readonly sequences: Readonly<Record<string, number>>;
}

/**
 * Why there is no result: the file cannot be read, or its result is too large; it is no more, or the payment was
 * used for another; its rules are no more; or the fault is ours.
 */
export type AnalysisFailure =
  'unreadable' | 'too_large' | 'file_lost' | 'payment' | 'rules_deleted' | 'internal';

/** What an analysis costs in prepaid credits, and the account that pays. */
export interface PaidByCredits {
  readonly accountId: string;
  readonly amount: number;
}

/** One version of an account's rule set. */
export interface RulesRef {
  readonly id: string;
  /** From 1. */
  readonly version: number;
}

/**
 * Stream `analysis-<id>`: one analysis of one file. Facts hold hashes and counts, never a word of it: file and
 * result lie in the blob port for a while.
 */
export type AnalysisEvent =
  | {
      readonly type: 'AnalysisRequested';
      readonly data: {
        /** Null for somebody without an account, who has paid and waits for the answer. */
        readonly accountId: string | null;
        /** The payment for it; null where credits or the plan pay, or nobody has to. */
        readonly intent: string | null;
        /** The prepaid credits that it costs, and whose; null where something else pays. */
        readonly credits: PaidByCredits | null;
        readonly readAs: ReadAs;
        /** The account's rules for it; null for the service's own. */
        readonly ruleSet: RulesRef | null;
        /** Whether the owner of the account is told by mail when it has ended. */
        readonly notify: boolean;
      };
    }
  | { readonly type: 'AnalysisFileReceived'; readonly data: { readonly file: FileFacts } }
  | {
      readonly type: 'AnalysisCompleted';
      readonly data: {
        readonly counts: Counts;
        readonly result: FileFacts | null;
        /** Of the rules by which it was read, the account's or the service's; null where nobody noted it. */
        readonly rulesVersion: number | null;
      };
    }
  | {
      readonly type: 'AnalysisFailed';
      readonly data: {
        readonly reason: AnalysisFailure;
        /** Whether what was paid goes back. */
        readonly refund: boolean;
      };
    }
  | { readonly type: 'AnalysisRefunded'; readonly data: { readonly refund: string } }
  | {
      readonly type: 'AnalysisDeleted';
      readonly data: { readonly accountId: string | null; readonly by: string };
    };

export const analysisStream = (id: string): string => `analysis-${id}`;

/**
 * Stream `rule_set-<id>`: what an account has files searched for. Whoever writes rules may name people in them, so
 * their text is sealed for the set, and erased with it.
 */
export type RuleSetEvent =
  | {
      readonly type: 'RuleSetCreated';
      readonly data: {
        readonly accountId: string;
        /** Name and rules as JSON. */
        readonly content: Sealed;
        readonly by: string;
      };
    }
  | {
      readonly type: 'RuleSetUpdated';
      readonly data: {
        readonly accountId: string;
        readonly version: number;
        readonly content: Sealed;
        readonly by: string;
      };
    }
  | { readonly type: 'RuleSetDeleted'; readonly data: { readonly accountId: string; readonly by: string } };

export const ruleSetStream = (id: string): string => `rule_set-${id}`;

/** The link in a mail: it leads to the report of one analysis, on behalf of its account. */
export const MAILED_RESULT = 'analysis-ended';

/** What the token of that link is about. */
export const mailedResult = (id: string, accountId: string): string => JSON.stringify([id, accountId]);

/** @returns undefined for what is about something else */
export function readMailedResult(
  subject: string,
): { readonly id: string; readonly accountId: string } | undefined {
  if (!subject.startsWith('[')) return undefined;
  const [id, accountId] = JSON.parse(subject) as [string, string];
  return { id, accountId };
}
