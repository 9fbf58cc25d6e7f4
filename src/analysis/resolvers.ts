import { Arg, Args, Ctx, ID, Query, Resolver, Subscription } from 'type-graphql';
import type { AnalysisQueries, AnalysisRow } from '../../projections/analyses/queries.js';
import { derivedId } from '../eventsourcing/ids.js';
import { Sized } from '../graphql/cost/directives.js';
import { Access, BUILDERS, inReach, MEMBERS } from '../graphql/kit/access.js';
import type { CommandSender } from '../graphql/kit/command.js';
import { Command } from '../graphql/kit/command.js';
import type { RequestContext, StandingIn } from '../graphql/kit/context.js';
import { accountOf, actorOf, environmentOf } from '../graphql/kit/context.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
import { givenId } from '../graphql/kit/ids.js';
import { Metered } from '../graphql/kit/metering.js';
import type { Page } from '../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../graphql/kit/pages.js';
import { payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotAllowed, notDone, PaymentRequired, refusalOf } from '../graphql/kit/refusals.js';
import { analysisDecider } from './decide.js';
import type { AnalysisDesk } from './desk.js';
import type { ReadAs } from './events.js';
import { analysisStream } from './events.js';
import { FORMAT_NAMES } from './formats/recognise.js';
import type { AnalysisLinks } from './links.js';
import { RESULT_MS, UPLOAD_MS } from './links.js';
import {
  Analysis,
  AnalysisConnection,
  analysisOf,
  CreateAnalysisInput,
  CreateAnalysisPayload,
  CreateAnalysisResult,
  DeleteAnalysisInput,
  DeleteAnalysisPayload,
  DeleteAnalysisResult,
} from './types.js';

/** Who reads the analyses of an account. */
export const READ = { scope: 'read', roles: MEMBERS } as const;
const WRITE = { scope: 'write', roles: BUILDERS } as const;
/** Names the list in its cursors. */
const LIST = 'analyses';
const INTENT = /^pi_\w{1,200}$/;

export interface AnalysesOptions {
  /** Undefined where the profile sells no analyses. */
  readonly desk: AnalysisDesk | undefined;
  readonly links: AnalysisLinks;
  readonly queries: AnalysisQueries;
  readonly sender: CommandSender;
  readonly cursors: Cursors;
  readonly standingIn: StandingIn;
  /** Waits until queries show what commands of this process have stored. */
  readonly shown: () => Promise<void>;
}

@Resolver()
export class AnalysesResolver {
  constructor(private readonly options: AnalysesOptions) {}

  @Command(() => CreateAnalysisResult, {
    access: WRITE,
    description:
      'Asks for an analysis. Send its file to `uploadUrl`: that counts as one analysis, and is done in order; `analysis` says when there is a result.',
  })
  async createAnalysis(
    @Ctx() context: RequestContext,
    @Arg('input', () => CreateAnalysisInput, { description: 'Input for `createAnalysis`.' })
    input: CreateAnalysisInput,
  ): Promise<typeof CreateAnalysisResult> {
    const { desk, sender } = this.options;
    if (!desk) return new NotAllowed('ANALYSES_NOT_OFFERED', 'The service sells no analyses.');
    const accountId = accountOf(context);
    const intent = input.paymentIntentId ?? null;
    if (intent !== null && !INTENT.test(intent)) {
      return new InvalidInput('"paymentIntentId" is no id of a payment.', 'paymentIntentId');
    }
    if (intent === null && desk.paymentRequired && !desk.included(accountId)) {
      const { amount, currency } = desk.settings.price;
      return new PaymentRequired(
        'PAYMENT_REQUIRED',
        `An analysis costs ${amount} ${currency}, in the smallest unit. Pay with /create-payment-intent first.`,
      );
    }
    const readAs = readAsOf(input, desk);
    if (readAs instanceof InvalidInput) return readAs;
    const { commandId, notify } = input;
    // The same command sent again meets the analysis that it has asked for.
    const id = derivedId('analysis', actorOf(context), commandId ?? context.correlationId);
    const sent = await sender.send(context, input, {
      decider: analysisDecider,
      stream: analysisStream(id),
      command: { type: 'RequestAnalysis', accountId, intent, readAs, notify },
      request: `create-analysis:${JSON.stringify([intent, readAs, notify])}`,
    });
    if (sent.kind === 'refused') return refusalOf(sent.refusal);
    const row = {
      ...NEW,
      id,
      account_id: accountId,
      requested_at: new Date(sent.stored[0]?.metadata.at ?? context.now),
    };
    const { replayed, position } = sent;
    return payload(CreateAnalysisPayload, { analysis: this.#shown(row, context), replayed, position });
  }

  @Command(() => DeleteAnalysisResult, {
    access: WRITE,
    description:
      'Deletes an analysis of the account: file and result are unreadable from then on, also in backups. What was paid stays paid. Again it changes nothing.',
  })
  async deleteAnalysis(
    @Ctx() context: RequestContext,
    @Arg('input', () => DeleteAnalysisInput, { description: 'Input for `deleteAnalysis`.' })
    input: DeleteAnalysisInput,
  ): Promise<typeof DeleteAnalysisResult> {
    const { desk, sender } = this.options;
    const { analysisId } = input;
    const sent = await sender.send(context, input, {
      decider: analysisDecider,
      stream: analysisStream(analysisId),
      command: { type: 'DeleteAnalysis', accountId: accountOf(context), by: actorOf(context) },
      request: `delete-analysis:${analysisId}`,
    });
    if (sent.kind === 'refused') return notDone(sent.refusal);
    // A policy does it as well, where this process ends before.
    await desk?.stored.forget(analysisId);
    const { replayed, position } = sent;
    return payload(DeleteAnalysisPayload, { analysisId, replayed, position });
  }

  @Metered('guarded')
  @Access(READ)
  @Query(() => Analysis, {
    nullable: true,
    description: 'An analysis of the account by its id, or null if there is none that you may see.',
  })
  async analysis(
    @Ctx() context: RequestContext,
    @Arg('id', () => ID, { description: 'The id, with or without its prefix.' }) id: string,
  ): Promise<Analysis | null> {
    const [found] = await this.find([givenId('Analysis', id)], context);
    return found ?? null;
  }

  @Metered('guarded')
  @Access(READ)
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @Query(() => AnalysisConnection, {
    nullable: true,
    description: 'The analyses of the account, the newest first.',
  })
  async myAnalyses(
    @Ctx() context: RequestContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
  ): Promise<Page<Analysis>> {
    const { cursors, queries } = this.options;
    const place = cursors.after(LIST, after);
    const cursor = place && { at: new Date(Number(place[0])), id: place[1] as string };
    const rows = await queries.ofAccount(accountOf(context), first, cursor);
    const placeOf = (row: AnalysisRow): Place => [row.requested_at.getTime(), row.id];
    return pageOf(cursors, LIST, rows, { first, after }, placeOf, (row) => this.#shown(row, context));
  }

  @Metered('guarded')
  @Access(READ)
  @Subscription(() => Analysis, {
    nullable: true,
    description:
      'An analysis of the account: at once, and then whenever it has moved. Complete it once `endedAt` is there.',
    subscribe: ({ args, context }: { args: { id: string }; context: RequestContext }) =>
      context.analysisChanges.watch(givenId('Analysis', args.id)),
  })
  async analysisChanged(
    @Ctx() context: RequestContext,
    @Arg('id', () => ID, { description: 'The id, with or without its prefix.' }) id: string,
  ): Promise<Analysis | null> {
    await this.options.shown();
    return this.analysis(context, id);
  }

  /** Those that the caller may see, in whatever order. */
  async find(ids: readonly string[], context: RequestContext): Promise<Analysis[]> {
    const { queries, standingIn } = this.options;
    const rows = await queries.byIds(ids);
    const seen = await inReach(
      rows,
      async ({ account_id: of }) => (of === null ? undefined : standingIn(context, of)),
      READ,
    );
    return seen.map((row) => this.#shown(row, context));
  }

  #shown(row: AnalysisRow, context: RequestContext): Analysis {
    const { links } = this.options;
    const { id, account_id: accountId } = row;
    const { caller, now } = context;
    const linked = {
      accountId: accountId ?? '',
      keyId: caller.kind === 'key' ? caller.key.id : '',
      environment: environmentOf(context),
    };
    const until = row.requested_at.getTime() + UPLOAD_MS;
    const shown = {
      file: () => (until > now ? links.to('file', id, linked, until) : null),
      result: () => links.to('result', id, linked, now + RESULT_MS),
    };
    return analysisOf(row, shown, context.analysisChanges.progressOf(id));
  }
}

/** Before anything has come of it. */
const NEW = {
  status: 'awaiting_file',
  received_at: null,
  ended_at: null,
  file_hash: null,
  file_bytes: null,
  counts: null,
  has_result: false,
  failure: null,
  refund: null,
} as const;

function readAsOf(
  { format, languages }: CreateAnalysisInput,
  { rules }: AnalysisDesk,
): ReadAs | InvalidInput {
  const names = FORMAT_NAMES as readonly string[];
  if (format != null && !names.includes(format)) {
    return new InvalidInput(`"format" has to be one of: ${names.join(', ')}.`, 'format');
  }
  if (
    languages != null &&
    (languages.length === 0 || !languages.every((name) => rules.languages.has(name)))
  ) {
    return new InvalidInput(
      `"languages" has to name some of: ${[...rules.languages.keys()].join(', ')}.`,
      'languages',
    );
  }
  return {
    ...(format != null && { format }),
    ...(languages != null && { languages: [...new Set(languages)] }),
  };
}
