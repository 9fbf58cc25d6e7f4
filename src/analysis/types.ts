import 'reflect-metadata';
import {
  createUnionType,
  Field,
  Float,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from 'type-graphql';
import type { AnalysisRow } from '../../projections/analyses/queries.js';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Node } from '../graphql/kit/node.js';
import { connectionOf } from '../graphql/kit/pages.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotAllowed, NotFound, PaymentRequired } from '../graphql/kit/refusals.js';
import { MAX_FILES } from './settings.js';

/** Categories and sequences of a rule set. */
const MAX_COUNTS = 50;
const MAX_LANGUAGES = 10;

export enum AnalysisStatus {
  AWAITING_FILE = 'awaiting_file',
  QUEUED = 'queued',
  COMPLETED = 'completed',
  FAILED = 'failed',
}
registerEnumType(AnalysisStatus, {
  name: 'AnalysisStatus',
  description: 'Where an analysis stands.',
  valuesConfig: {
    AWAITING_FILE: { description: 'Its file is still to be uploaded.' },
    QUEUED: { description: 'The file is there and waits, or is being analysed.' },
    COMPLETED: { description: 'It is done.' },
    FAILED: { description: 'There is no result: see `failure`.' },
  },
});

export enum AnalysisFailureReason {
  UNREADABLE = 'unreadable',
  TOO_LARGE = 'too_large',
  FILE_LOST = 'file_lost',
  PAYMENT = 'payment',
  RULES_DELETED = 'rules_deleted',
  INTERNAL = 'internal',
}
registerEnumType(AnalysisFailureReason, {
  name: 'AnalysisFailureReason',
  description: 'Why an analysis has no result.',
  valuesConfig: {
    UNREADABLE: { description: 'The file cannot be read as a chat log.' },
    TOO_LARGE: { description: 'The file unpacks to more than is taken, or its result is too large.' },
    FILE_LOST: { description: 'The time of the file was over before it was analysed.' },
    PAYMENT: { description: 'The payment was used for another file, or the credits were spent.' },
    RULES_DELETED: { description: 'Its rule set was deleted before it was analysed.' },
    INTERNAL: { description: 'The fault is ours.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'How often something was found.' })
export class AnalysisCount {
  @Field(() => String, { description: 'The category, or the sequence as `A -> B`.' })
  name!: string;

  @Field(() => Int, { description: 'The number of entries, or of such sequences.' })
  count!: number;
}

@ObjectType({ simpleResolvers: true, description: 'Why an analysis has no result.' })
export class AnalysisFailed {
  @Field(() => AnalysisFailureReason, { description: 'Why there is no result.' })
  reason!: AnalysisFailureReason;

  @Field(() => Boolean, { description: 'Whether what was paid for it went back, or is about to.' })
  refunded!: boolean;
}

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description:
    'An analysis of one file. What was found is kept in numbers; texts are in the result alone, which is encrypted with a key of its own and forgotten after a while.',
})
export class Analysis extends Node {
  @Field(() => AnalysisStatus, { description: 'Where it stands.' })
  status!: AnalysisStatus;

  @Field(() => Float, {
    nullable: true,
    description: 'The part of the file that has been analysed, 0 to 1; null where nobody knows it now.',
  })
  progress!: number | null;

  @Field(() => DateTimeISO, { description: 'When it was asked for.' })
  requestedAt!: Date;

  @Field(() => DateTimeISO, { nullable: true, description: 'When its file came; null before.' })
  receivedAt!: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'When it was done or failed; null before.' })
  endedAt!: Date | null;

  @Field(() => Int, { nullable: true, description: 'The size of the file, in bytes.' })
  fileBytes!: number | null;

  @Field(() => String, { nullable: true, description: 'SHA-256 of the file, in hex.' })
  fileHash!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Entries in which something was found; null before it is done.',
  })
  eventCount!: number | null;

  @Field(() => Int, { nullable: true, description: 'Entries in the file; null before it is done.' })
  entryCount!: number | null;

  @Sized({ assumedSize: MAX_COUNTS })
  @Field(() => [AnalysisCount], { description: 'Entries by category, most first.' })
  patterns!: AnalysisCount[];

  @Sized({ assumedSize: MAX_COUNTS })
  @Field(() => [AnalysisCount], { description: 'Sequences by their names, most first.' })
  sequences!: AnalysisCount[];

  @IdOf('RuleSet')
  @Field(() => ID, {
    nullable: true,
    description: "The account's rule set that it uses. Null for the service's own rules.",
  })
  ruleSetId!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: "Version of the rules that it uses; of the service's own, null before it is done.",
  })
  rulesVersion!: number | null;

  @Field(() => AnalysisFailed, { nullable: true, description: 'Why it failed; null where it did not.' })
  failure!: AnalysisFailed | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Send the file there with PUT, within an hour of the request. Whoever has the link needs no other credential. Null once the file has come.',
  })
  uploadUrl!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The result as JSON, or with `&as=pdf` a report for people, for 15 minutes. Whoever has the link needs no other credential. 410 once its time is over: a day after the end, and 15 minutes after it was first fetched, unless the service says otherwise. Null as long as there is none.',
  })
  resultUrl!: string | null;
}

/**
 * @param links to its file and result, for whoever asks
 * @param progress undefined where this process does not work on it
 */
export function analysisOf(
  row: AnalysisRow,
  links: { readonly file: () => string | null; readonly result: () => string },
  progress: number | undefined,
): Analysis {
  const { counts, failure } = row;
  return Object.assign(new Analysis(), {
    id: row.id,
    status: row.status as AnalysisStatus,
    progress: row.status === 'completed' ? 1 : (progress ?? null),
    // Copies: dates of the database's worker may be another realm's, which graphql-scalars takes for none.
    requestedAt: new Date(row.requested_at),
    receivedAt: row.received_at && new Date(row.received_at),
    endedAt: row.ended_at && new Date(row.ended_at),
    fileBytes: row.file_bytes,
    fileHash: row.file_hash,
    eventCount: counts?.events ?? null,
    entryCount: counts?.entries ?? null,
    patterns: countsOf(counts?.patterns),
    sequences: countsOf(counts?.sequences),
    ruleSetId: row.rule_set_id,
    rulesVersion: row.rules_version,
    failure:
      failure &&
      Object.assign(new AnalysisFailed(), {
        reason: failure as AnalysisFailureReason,
        refunded: row.refund !== null,
      }),
    uploadUrl: row.status === 'awaiting_file' ? links.file() : null,
    resultUrl: row.has_result ? links.result() : null,
  });
}

const countsOf = (counts: Readonly<Record<string, number>> = {}): AnalysisCount[] =>
  Object.entries(counts)
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .map(([name, count]) => Object.assign(new AnalysisCount(), { name, count }));

export const AnalysisConnection = connectionOf(Analysis, {
  entry: 'Analysis',
  one: 'analysis',
  many: 'analyses',
});

@InputType({ description: 'One of several files to analyse.' })
export class AnalysisFileInput {
  @Field(() => String, {
    nullable: true,
    description:
      'The payment for it, from `/create-payment-intent` or `/checkout`. Leave it out where credits or the plan pay, or nobody has to.',
  })
  paymentIntentId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The format of the file, as `/patterns` names it. By default it is recognised.',
  })
  format?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: `Languages of the file, as \`/patterns\` names them, at most ${MAX_LANGUAGES}. By default it is recognised.`,
  })
  languages?: string[] | null;
}

@InputType({ description: 'Input for `createAnalysis`.' })
export class CreateAnalysisInput extends AnalysisFileInput {
  @IdOf('RuleSet')
  @Field(() => ID, {
    nullable: true,
    description: "A rule set of the account; its newest version is used. By default the service's own rules.",
  })
  ruleSetId?: string | null;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Whether the owner of the account is told by mail when it has ended.',
  })
  notify!: boolean;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The analysis that was asked for.' })
export class CreateAnalysisPayload extends Payload {
  @Field(() => Analysis, { description: 'The analysis: send its file to `uploadUrl`.' })
  analysis!: Analysis;
}

export const CreateAnalysisResult = createUnionType({
  name: 'CreateAnalysisResult',
  description: 'The analysis that was asked for, or why there is none.',
  types: () => [CreateAnalysisPayload, PaymentRequired, NotAllowed, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Input for `createAnalyses`.' })
export class CreateAnalysesInput {
  @Field(() => [AnalysisFileInput], { description: `The files, 1 to ${MAX_FILES}.` })
  files!: AnalysisFileInput[];

  @IdOf('RuleSet')
  @Field(() => ID, {
    nullable: true,
    description: "A rule set of the account for all of them. By default the service's own rules.",
  })
  ruleSetId?: string | null;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Whether the owner of the account is told by mail when each has ended.',
  })
  notify!: boolean;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'What became of each file.' })
export class CreateAnalysesPayload extends Payload {
  @Sized({ assumedSize: MAX_FILES })
  @Field(() => [CreateAnalysisResult], {
    description: 'The analysis of each file, or why there is none, in the order of `files`.',
  })
  results!: (typeof CreateAnalysisResult)[];
}

export const CreateAnalysesResult = createUnionType({
  name: 'CreateAnalysesResult',
  description: 'What became of each file, or why none was taken.',
  types: () => [CreateAnalysesPayload, NotAllowed, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Input for `deleteAnalysis`.' })
export class DeleteAnalysisInput {
  @IdOf('Analysis')
  @Field(() => ID, { description: 'The id of the analysis to delete.' })
  analysisId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A deleted analysis.' })
export class DeleteAnalysisPayload extends Payload {
  @IdOf('Analysis')
  @Field(() => ID, { description: 'The id of the analysis, of which there is nothing any more.' })
  analysisId!: string;
}

export const DeleteAnalysisResult = createUnionType({
  name: 'DeleteAnalysisResult',
  description: 'What was deleted, or why nothing was.',
  types: () => [DeleteAnalysisPayload, NotFound, InvalidInput] as const,
});
