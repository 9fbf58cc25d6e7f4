import type { BlobFacts } from '../blobs/store.js';

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
 * used for another; or the fault is ours.
 */
export type AnalysisFailure = 'unreadable' | 'too_large' | 'file_lost' | 'payment' | 'internal';

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
        /** The payment for it; null where the plan pays, or nobody has to. */
        readonly intent: string | null;
        readonly readAs: ReadAs;
        /** Whether the owner of the account is told by mail when it has ended. */
        readonly notify: boolean;
      };
    }
  | { readonly type: 'AnalysisFileReceived'; readonly data: { readonly file: FileFacts } }
  | {
      readonly type: 'AnalysisCompleted';
      readonly data: { readonly counts: Counts; readonly result: FileFacts | null };
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
