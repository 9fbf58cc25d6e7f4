import { Arg, Args, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import type { RuleSetQueries, RuleSetRow } from '../../projections/ruleSets/queries.js';
import { Account } from '../accounts/types.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { Sized } from '../graphql/cost/directives.js';
import { Access, BUILDERS, inReach, MEMBERS } from '../graphql/kit/access.js';
import { Command, senderOf } from '../graphql/kit/command.js';
import type { RequestContext, StandingIn } from '../graphql/kit/context.js';
import { accountOf } from '../graphql/kit/context.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
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
import { textProblem } from '../text/text.js';
import type { AnalysisDesk } from './desk.js';
import type { RulesContent } from './ownRules.js';
import { readOwnRules } from './ownRules.js';
import type { RuleSet as Rules } from './rules.js';
import { RulesInvalid } from './rules.js';
import type { RuleSets } from './ruleSets.js';
import { contentIn } from './ruleSets.js';
import {
  CreateRuleSetInput,
  CreateRuleSetPayload,
  CreateRuleSetResult,
  DeleteRuleSetInput,
  DeleteRuleSetPayload,
  DeleteRuleSetResult,
  MAX_SAMPLE,
  RuleSet,
  RuleSetConnection,
  ruleSetOf,
  RuleSetTrialInput,
  RuleSetTrialResult,
  UpdateRuleSetInput,
  UpdateRuleSetPayload,
  UpdateRuleSetResult,
} from './ruleSetTypes.js';
import type { RuleSetRulesInput } from './rulesTypes.js';
import { contentOf, RuleSetRules } from './rulesTypes.js';
import { tried } from './trial.js';

/** Who reads the rule sets of an account. */
const READ = { scope: 'read', roles: MEMBERS } as const;
const WRITE = { scope: 'write', roles: BUILDERS } as const;
/** Names the list in its cursors. */
const LIST = 'rule-sets';

export interface RuleSetsOptions {
  /** Undefined where the profile sells no analyses. */
  readonly desk: Pick<AnalysisDesk, 'rules'> | undefined;
  readonly ruleSets: RuleSets;
  readonly queries: RuleSetQueries;
  readonly positions: PositionTokens;
  readonly cursors: Cursors;
  readonly standingIn: StandingIn;
}

@Resolver(() => RuleSet)
export class RuleSetsResolver {
  constructor(private readonly options: RuleSetsOptions) {}

  @Command(() => CreateRuleSetResult, {
    access: WRITE,
    description: 'Creates a rule set, which `createAnalysis` and `/analyze` can then choose.',
  })
  async createRuleSet(
    @Ctx() context: RequestContext,
    @Arg('input', () => CreateRuleSetInput, { description: 'Input for `createRuleSet`.' })
    input: CreateRuleSetInput,
  ): Promise<typeof CreateRuleSetResult> {
    const { ruleSets, queries, positions } = this.options;
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    const rules = this.#read(input.rules);
    if ('code' in rules) return rules;
    const accountId = accountOf(context);
    const present = (await queries.ids(accountId)).length;
    const content = { name: input.name, rules: rules.content };
    const result = await ruleSets.create(content, accountId, present, sender);
    if (result.kind === 'refused') return refusalOf(result.refusal, 'LimitReached');
    const row = await ruleSets.find(result.ruleSetId, accountId);
    if (!row) return new NotFound('The rule set that this command has made was deleted.');
    const { replayed, position } = result;
    return payload(CreateRuleSetPayload, {
      ruleSet: ruleSetOf(row),
      replayed,
      position: positions.encode(position),
    });
  }

  @Command(() => UpdateRuleSetResult, {
    access: WRITE,
    description: 'Saves a new version of a rule set. Analyses that were asked for before keep theirs.',
  })
  async updateRuleSet(
    @Ctx() context: RequestContext,
    @Arg('input', () => UpdateRuleSetInput, { description: 'Input for `updateRuleSet`.' })
    input: UpdateRuleSetInput,
  ): Promise<typeof UpdateRuleSetResult> {
    const { ruleSets, positions } = this.options;
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    const rules = this.#read(input.rules);
    if ('code' in rules) return rules;
    const accountId = accountOf(context);
    const changes = { name: input.name ?? null, rules: rules.content };
    const result = await ruleSets.update(input.ruleSetId, changes, accountId, sender);
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'LimitReached');
    const row = await ruleSets.find(input.ruleSetId, accountId);
    if (!row) return noRuleSet();
    const { replayed, position } = result;
    return payload(UpdateRuleSetPayload, {
      ruleSet: ruleSetOf(row),
      replayed,
      position: positions.encode(position),
    });
  }

  @Command(() => DeleteRuleSetResult, {
    access: WRITE,
    description:
      'Deletes a rule set with all its versions: nobody can read them any more. An analysis by it that is not done yet fails.',
  })
  async deleteRuleSet(
    @Ctx() context: RequestContext,
    @Arg('input', () => DeleteRuleSetInput, { description: 'Input for `deleteRuleSet`.' })
    input: DeleteRuleSetInput,
  ): Promise<typeof DeleteRuleSetResult> {
    const { ruleSets, positions } = this.options;
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    const { ruleSetId } = input;
    const result = await ruleSets.delete(ruleSetId, accountOf(context), sender);
    if (result.kind === 'refused') return notDone(result.refusal);
    const { replayed, position } = result;
    return payload(DeleteRuleSetPayload, { ruleSetId, replayed, position: positions.encode(position) });
  }

  @Metered('guarded')
  @Access(WRITE)
  @Query(() => RuleSetTrialResult, {
    nullable: true,
    description: 'Tries rules on a sample. Nothing is saved, of the rules or of the sample.',
  })
  ruleSetTrial(
    @Arg('input', () => RuleSetTrialInput, { description: 'Rules and a sample.' }) input: RuleSetTrialInput,
  ): typeof RuleSetTrialResult {
    const problem = textProblem('sample', input.sample, { min: 1, max: MAX_SAMPLE, lines: true });
    if (problem !== undefined) return new InvalidInput(problem, 'sample');
    const rules = this.#read(input.rules);
    return 'code' in rules ? rules : tried(rules.compiled, input.sample);
  }

  @FieldResolver(() => String, { nullable: true, description: 'Its name. Null after it was erased.' })
  async name(@Root() { sealed }: RuleSet, @Ctx() { loaders }: RequestContext): Promise<string | null> {
    return contentIn(await loaders.unsealed.load(sealed))?.name ?? null;
  }

  @FieldResolver(() => RuleSetRules, {
    nullable: true,
    description: 'Its rules. Null where it has no such version.',
  })
  async rules(
    @Root() { id, version: newest, sealed }: RuleSet,
    @Ctx() { loaders }: RequestContext,
    @Arg('version', () => Int, { nullable: true, description: 'A version, from 1. By default the newest.' })
    version?: number | null,
  ): Promise<RulesContent | null> {
    const of =
      version == null || version === newest ? sealed : await this.options.queries.content(id, version);
    return of === undefined ? null : (contentIn(await loaders.unsealed.load(of))?.rules ?? null);
  }

  /** Those that the caller may see, in whatever order. */
  async find(ids: readonly string[], context: RequestContext): Promise<RuleSet[]> {
    const { queries, standingIn } = this.options;
    const rows = await queries.byIds(ids);
    const seen = await inReach(rows, async ({ account_id: of }) => standingIn(context, of), READ);
    return seen.map(ruleSetOf);
  }

  /** Rules that were checked, or why they cannot be used. */
  #read(
    input: RuleSetRulesInput,
  ): { readonly content: RulesContent; readonly compiled: Rules } | NotAllowed | InvalidInput {
    const { desk } = this.options;
    if (!desk) return new NotAllowed('ANALYSES_NOT_OFFERED', 'The service sells no analyses.');
    const content = contentOf(input, desk.rules);
    try {
      return { content, compiled: readOwnRules(content, 1) };
    } catch (error) {
      if (!(error instanceof RulesInvalid)) throw error;
      return InvalidInput.of(error.problems, 'rules');
    }
  }
}

@Resolver(() => Account)
export class AccountRuleSetsResolver {
  constructor(private readonly options: Pick<RuleSetsOptions, 'queries' | 'cursors'>) {}

  @Access(READ)
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => RuleSetConnection, {
    nullable: true,
    description: 'Rule sets of the account, oldest first.',
  })
  async ruleSets(
    @Root() { id: accountId }: Account,
    @Args(() => PageArgs) { first, after }: PageArgs,
  ): Promise<Page<RuleSet>> {
    const { queries, cursors } = this.options;
    const place = cursors.after(LIST, after);
    const cursor = place && { at: new Date(Number(place[0])), id: place[1] as string };
    const rows = await queries.ofAccount(accountId, first, cursor);
    const placeOf = (row: RuleSetRow): Place => [row.created_at.getTime(), row.id];
    return pageOf(cursors, LIST, rows, { first, after }, placeOf, ruleSetOf);
  }
}

const noRuleSet = (): NotFound => new NotFound('There is no rule set with this id.');
