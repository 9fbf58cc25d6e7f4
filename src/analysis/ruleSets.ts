import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { contentHash, derivedId } from '../eventsourcing/ids.js';
import { shownId } from '../graphql/kit/ids.js';
import type { RuleSetRow } from '../../projections/ruleSets/queries.js';
import type { PersonalData } from '../secrets/personalData.js';
import { SubjectErased } from '../secrets/personalData.js';
import type { RuleSetCommand, RuleSetState } from './decideRuleSet.js';
import { ruleSetDecider } from './decideRuleSet.js';
import type { RuleSetEvent, RulesRef } from './events.js';
import { ruleSetStream } from './events.js';
import type { OwnRules, RulesContent } from './ownRules.js';

/** What of a rule set is sealed. */
export interface SealedContent {
  readonly name: string;
  readonly rules: RulesContent;
}

/** One version of an account's rules, and where it stands. */
export interface FoundRules extends OwnRules {
  readonly ref: RulesRef;
}

type Context = Omit<CommandContext, 'requestHash'>;
type Result = CommandResult<RuleSetEvent>;

/** The rule sets of accounts: what they say is sealed and opened here. */
export class RuleSets {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
  ) {}

  /**
   * The id follows from the command's, so that a repetition meets the set that it has made.
   * @param present how many the account has
   */
  async create(
    content: SealedContent,
    accountId: string,
    present: number,
    context: Context,
  ): Promise<Result & { readonly ruleSetId: string }> {
    const ruleSetId = derivedId('rule-set', context.caller, context.commandId);
    const result = await this.#write(ruleSetId, content, context, ['create', content], (given) => ({
      type: 'CreateRuleSet' as const,
      accountId,
      by: context.caller,
      content: given,
      present,
    }));
    return { ...result, ruleSetId };
  }

  /** @param changes name: null to keep it */
  async update(
    ruleSetId: string,
    changes: { readonly name: string | null; readonly rules: RulesContent },
    accountId: string,
    context: Context,
  ): Promise<Result> {
    const state = await this.#state(ruleSetId);
    const before = state.accountId === accountId ? await this.#open(state.versions.at(-1)) : undefined;
    if (!before) return NOT_FOUND;
    const content = { name: changes.name ?? before.name, rules: changes.rules };
    return this.#write(ruleSetId, content, context, ['update', changes], (given) => ({
      type: 'UpdateRuleSet' as const,
      accountId,
      by: context.caller,
      content: given,
    }));
  }

  async delete(ruleSetId: string, accountId: string, context: Context): Promise<Result> {
    const result = await this.commands.handle(
      ruleSetDecider,
      ruleSetStream(ruleSetId),
      { type: 'DeleteRuleSet', accountId, by: context.caller },
      { ...context, requestHash: 'delete-rule-set' },
    );
    // A policy does it as well, where this process ends before.
    if (result.kind === 'accepted') await this.personal.erase([ruleSetId]);
    return result;
  }

  /** A set as its events have it now; undefined where the account has none with this id. */
  async find(ruleSetId: string, accountId: string): Promise<RuleSetRow | undefined> {
    const history = await this.commands.load(ruleSetStream(ruleSetId));
    const { accountId: owner, versions } = fold(ruleSetDecider, history);
    const [created] = history;
    const last = history.at(-1);
    if (owner !== accountId || !created || !last) return undefined;
    return {
      id: ruleSetId,
      account_id: accountId,
      version: versions.length,
      content: versions.at(-1) ?? '',
      created_at: new Date(created.metadata.at),
      updated_at: new Date(last.metadata.at),
    };
  }

  /** The newest version of an account's set; undefined where it has none with this id. */
  async current(ruleSetId: string, accountId: string): Promise<FoundRules | undefined> {
    const state = await this.#state(ruleSetId);
    if (state.accountId !== accountId) return undefined;
    return this.#found({ id: ruleSetId, version: state.versions.length }, state);
  }

  /** A version that was chosen before; undefined once its set is deleted. */
  async version(ref: RulesRef): Promise<FoundRules | undefined> {
    return this.#found(ref, await this.#state(ref.id));
  }

  async #found(ref: RulesRef, { versions }: RuleSetState): Promise<FoundRules | undefined> {
    const content = await this.#open(versions[ref.version - 1]);
    return content && { ref, id: shownId('RuleSet', ref.id), version: ref.version, content: content.rules };
  }

  async #open(sealed: string | undefined): Promise<SealedContent | undefined> {
    return sealed === undefined ? undefined : contentIn(await this.personal.unseal(sealed));
  }

  async #state(ruleSetId: string): Promise<RuleSetState> {
    return fold(ruleSetDecider, await this.commands.load(ruleSetStream(ruleSetId)));
  }

  /** @param request what was asked for: another one under the same command id is refused */
  async #write(
    ruleSetId: string,
    content: SealedContent,
    context: Context,
    request: unknown,
    commandOf: (given: { readonly name: string; readonly sealed: string }) => RuleSetCommand,
  ): Promise<Result> {
    let sealed: string;
    try {
      sealed = await this.personal.seal(ruleSetId, JSON.stringify(content));
    } catch (error) {
      // It was deleted meanwhile: the decider says so.
      if (!(error instanceof SubjectErased)) throw error;
      sealed = '';
    }
    return this.commands.handle(
      ruleSetDecider,
      ruleSetStream(ruleSetId),
      commandOf({ name: content.name, sealed }),
      { ...context, requestHash: contentHash(JSON.stringify(request)) },
    );
  }
}

const NOT_FOUND = {
  kind: 'refused',
  refusal: { code: 'NOT_FOUND', message: 'There is no rule set with this id.' },
} as const;

/** @param opened null once it was erased */
export const contentIn = (opened: string | null): SealedContent | undefined =>
  opened === null ? undefined : (JSON.parse(opened) as SealedContent);
