import { Arg, Args, Ctx, ID, Query, Resolver, Subscription } from 'type-graphql';
import type { AnalysisQueries, AnalysisRow } from '../../projections/analyses/queries.js';
import { commandIdOf } from '../eventsourcing/commandId.js';
import { START } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
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
import {
  badCommandId,
  InvalidInput,
  NotAllowed,
  notDone,
  NotFound,
  refusalOf,
} from '../graphql/kit/refusals.js';
import { Outage } from '../outage.js';
import { analysisDecider } from './decide.js';
import type { AnalysisDesk } from './desk.js';
import type { ReadAs } from './events.js';
import { analysisStream } from './events.js';
import { FORMAT_NAMES } from './formats/recognise.js';
import type { AnalysisLinks } from './links.js';
import { RESULT_MS, UPLOAD_MS } from './links.js';
import { languagesIn } from './ownRules.js';
import { creditsOf } from './payment.js';
import type { FoundRules } from './ruleSets.js';
import type { AnalysisFileInput } from './types.js';
import {
  Analysis,
  AnalysisConnection,
  analysisOf,
  CreateAnalysesInput,
  CreateAnalysesPayload,
  CreateAnalysesResult,
  CreateAnalysisInput,
  CreateAnalysisPayload,
  CreateAnalysisResult,
  DeleteAnalysisInput,
  DeleteAnalysisPayload,
  DeleteAnalysisResult,
} from './types.js';
import { MAX_FILES } from './settings.js';

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
  readonly positions: PositionTokens;
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
    const { desk } = this.options;
    if (!desk) return new NotAllowed('ANALYSES_NOT_OFFERED', 'The service sells no analyses.');
    const own = await ownRulesOf(desk, context, input.ruleSetId);
    if (own instanceof NotFound) return own;
    const { commandId, notify } = input;
    return this.#ask(desk, context, { ...input, own, notify, commandId, field: '', others: 0 });
  }

  @Command(() => CreateAnalysesResult, {
    access: WRITE,
    description: `Asks for the analyses of several files, at most ${MAX_FILES}. Each has its own link and its own failure; a payment that was made for several files pays for as many.`,
  })
  async createAnalyses(
    @Ctx() context: RequestContext,
    @Arg('input', () => CreateAnalysesInput, { description: 'Input for `createAnalyses`.' })
    input: CreateAnalysesInput,
  ): Promise<typeof CreateAnalysesResult> {
    const { desk, positions } = this.options;
    if (!desk) return new NotAllowed('ANALYSES_NOT_OFFERED', 'The service sells no analyses.');
    const { files, notify, ruleSetId } = input;
    if (files.length === 0 || files.length > MAX_FILES) {
      return new InvalidInput(`"files" must have 1 to ${MAX_FILES} entries.`, 'files');
    }
    if (commandIdOf(input.commandId) === undefined) return badCommandId();
    const own = await ownRulesOf(desk, context, ruleSetId);
    if (own instanceof NotFound) return own;
    const results: (typeof CreateAnalysisResult)[] = [];
    const goodFor = await manyPaidBy(desk, files);
    const named = new Map<string, number>();
    let prepaid = 0;
    // One after the other: credits that one has taken are not there for the next.
    for (const [place, file] of files.entries()) {
      const { paymentIntentId: intent } = file;
      const field = `files.${place}.`;
      if (intent != null) {
        const files = (named.get(intent) ?? 0) + 1;
        named.set(intent, files);
        if (files > (goodFor.get(intent) ?? Infinity)) {
          const what = 'This payment is not good for so many files.';
          results.push(new InvalidInput(what, `${field}paymentIntentId`));
          continue;
        }
      }
      const commandId = derivedId('analysis-file', input.commandId ?? context.correlationId, place);
      const others = prepaid;
      const asked = await this.#ask(desk, context, { ...file, own, notify, commandId, field, others });
      if (intent == null && asked instanceof CreateAnalysisPayload) prepaid += 1;
      results.push(asked);
    }
    const asked = results.filter((result) => result instanceof CreateAnalysisPayload);
    return payload(CreateAnalysesPayload, {
      results,
      replayed: asked.length > 0 && asked.every(({ replayed }) => replayed),
      position: asked.at(-1)?.position ?? positions.encode(START),
    });
  }

  /** Asks for one analysis. */
  async #ask(
    desk: AnalysisDesk,
    context: RequestContext,
    { own, notify, commandId, field, others, ...file }: Asked,
  ): Promise<typeof CreateAnalysisResult> {
    const accountId = accountOf(context);
    const intent = file.paymentIntentId ?? null;
    if (intent !== null && !INTENT.test(intent)) {
      return new InvalidInput('"paymentIntentId" is not the id of a payment.', `${field}paymentIntentId`);
    }
    const readAs = readAsOf(file, own ? languagesIn(own.content) : [...desk.rules.languages.keys()], field);
    if (readAs instanceof InvalidInput) return readAs;
    const due = intent === null && desk.paymentRequired && !desk.included(accountId);
    const credits = (due && (await creditsOf(desk, accountId, others))) || null;
    const ruleSet = own?.ref ?? null;
    // The same command sent again meets the analysis that it has asked for.
    const id = derivedId('analysis', actorOf(context), commandId ?? context.correlationId);
    const sent = await this.options.sender.send(
      context,
      { commandId },
      {
        decider: analysisDecider,
        stream: analysisStream(id),
        command: {
          type: 'RequestAnalysis',
          accountId,
          intent,
          credits,
          unpaid: due && !credits ? howToPay(desk) : undefined,
          readAs,
          ruleSet,
          notify,
        },
        request: `create-analysis:${JSON.stringify([intent, readAs, notify, ...(own ? [own.id] : [])])}`,
      },
    );
    if (sent.kind === 'refused') return refusalOf(sent.refusal, 'PaymentRequired');
    const requested = sent.events[0];
    // A repetition names the version that the first has chosen.
    const rules = requested?.type === 'AnalysisRequested' ? requested.data.ruleSet : ruleSet;
    const row = {
      ...NEW,
      id,
      account_id: accountId,
      requested_at: new Date(sent.stored[0]?.metadata.at ?? context.now),
      rule_set_id: rules?.id ?? null,
      rules_version: rules?.version ?? null,
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
      memberId:
        caller.kind === 'session' && caller.session.accountId !== accountId ? caller.session.userId : '',
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

/** What is asked for, of one file. */
interface Asked extends AnalysisFileInput {
  readonly own: FoundRules | undefined;
  readonly notify: boolean;
  readonly commandId?: string | null | undefined;
  /** The way to the file in the input: empty, or ends with a dot. */
  readonly field: string;
  /** How many of the same command are to be paid with credits before it. */
  readonly others: number;
}

/**
 * How many files payments are good for that are named for more than one. Most are for one file: whether that is paid
 * is asked when it comes, and so it is of all where nobody knows now.
 */
async function manyPaidBy(
  { payment }: AnalysisDesk,
  files: readonly AnalysisFileInput[],
): Promise<Map<string, number>> {
  const goodFor = new Map<string, number>();
  const named = files.flatMap(({ paymentIntentId }) => paymentIntentId ?? []);
  for (const intent of new Set(named.filter((one, place) => named.indexOf(one) < place))) {
    try {
      goodFor.set(intent, Math.max(1, (await payment?.quantity(intent)) ?? 0));
    } catch (error) {
      if (!(error instanceof Outage)) throw error;
    }
  }
  return goodFor;
}

async function ownRulesOf(
  { ruleSets }: AnalysisDesk,
  context: RequestContext,
  ruleSetId: string | null | undefined,
): Promise<FoundRules | NotFound | undefined> {
  if (ruleSetId == null) return undefined;
  const found = await ruleSets.current(ruleSetId, accountOf(context));
  return found ?? new NotFound('There is no rule set with this id.');
}

function howToPay({ settings: { price }, credits }: AnalysisDesk): string {
  const costs = `An analysis costs ${price.amount} ${price.currency}, in the smallest unit. Pay with /create-payment-intent first`;
  return credits ? `${costs}, or with buyCredits.` : `${costs}.`;
}

function readAsOf(
  { format, languages }: AnalysisFileInput,
  known: readonly string[],
  field: string,
): ReadAs | InvalidInput {
  const names = FORMAT_NAMES as readonly string[];
  if (format != null && !names.includes(format)) {
    return new InvalidInput(`"format" has to be one of: ${names.join(', ')}.`, `${field}format`);
  }
  if (languages != null && (languages.length === 0 || !languages.every((name) => known.includes(name)))) {
    return new InvalidInput(`"languages" has to name some of: ${known.join(', ')}.`, `${field}languages`);
  }
  return {
    ...(format != null && { format }),
    ...(languages != null && { languages: [...new Set(languages)] }),
  };
}
