import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { RuleSetRow } from '../../projections/ruleSets/queries.js';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Cost, Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Node } from '../graphql/kit/node.js';
import { connectionOf } from '../graphql/kit/pages.js';
import { Payload } from '../graphql/kit/payload.js';
import { InvalidInput, LimitReached, NotAllowed, NotFound } from '../graphql/kit/refusals.js';
import { MAX_NAME } from './decideRuleSet.js';
import { MAX_RULES_BYTES } from './ownRules.js';
import { RuleSetRulesInput } from './rulesTypes.js';
import { AnalysisCount } from './types.js';

/** Characters of a sample. */
export const MAX_SAMPLE = 2_000;
/** Entries of a sample that are shown. */
export const MAX_SHOWN = 50;
const MAX_HITS = 30;
const MAX_COUNTS = 50;

@ObjectType({
  implements: Node,
  description:
    'What an account has files searched for, instead of what the service looks for. A change is a new version: analyses name the version that they used.',
})
export class RuleSet extends Node {
  @Field(() => Int, { description: 'The newest version, from 1.' })
  version!: number;

  @Field(() => DateTimeISO, { description: 'When it was created.' })
  createdAt!: Date;

  @Field(() => DateTimeISO, { description: 'When its newest version was saved.' })
  updatedAt!: Date;

  sealed!: string;
}

export const ruleSetOf = (row: RuleSetRow): RuleSet =>
  Object.assign(new RuleSet(), {
    id: row.id,
    version: row.version,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    sealed: row.content,
  });

export const RuleSetConnection = connectionOf(RuleSet, {
  entry: 'RuleSet',
  one: 'rule set',
  many: 'rule sets',
});

const NAME = `For people, 1 to ${MAX_NAME} characters.`;
const RULES = `At most ${MAX_RULES_BYTES} bytes as JSON.`;

@InputType({ description: 'Input for `createRuleSet`.' })
export class CreateRuleSetInput {
  @Field(() => String, { description: NAME })
  name!: string;

  @Field(() => RuleSetRulesInput, {
    description: `What is looked for. ${RULES} \`ruleSetTrial\` tries them.`,
  })
  rules!: RuleSetRulesInput;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `updateRuleSet`.' })
export class UpdateRuleSetInput {
  @IdOf('RuleSet')
  @Field(() => ID, { description: 'Id of the rule set to change, as in `account.ruleSets`.' })
  ruleSetId!: string;

  @Field(() => String, { nullable: true, description: `${NAME} By default it stays.` })
  name?: string | null;

  @Field(() => RuleSetRulesInput, { description: `All rules of the new version. ${RULES}` })
  rules!: RuleSetRulesInput;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@InputType({ description: 'Input for `deleteRuleSet`.' })
export class DeleteRuleSetInput {
  @IdOf('RuleSet')
  @Field(() => ID, { description: 'Id of the rule set to delete.' })
  ruleSetId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The rule set that was created.' })
export class CreateRuleSetPayload extends Payload {
  @Field(() => RuleSet, { description: 'The new rule set, in its first version.' })
  ruleSet!: RuleSet;
}

@ObjectType({ simpleResolvers: true, description: 'The rule set with its new version.' })
export class UpdateRuleSetPayload extends Payload {
  @Field(() => RuleSet, { description: 'The rule set as it is now.' })
  ruleSet!: RuleSet;
}

@ObjectType({ simpleResolvers: true, description: 'A deleted rule set.' })
export class DeleteRuleSetPayload extends Payload {
  @IdOf('RuleSet')
  @Field(() => ID, { description: 'The id of the rule set, of which there is nothing any more.' })
  ruleSetId!: string;
}

export const CreateRuleSetResult = createUnionType({
  name: 'CreateRuleSetResult',
  description: 'The new rule set, or why there is none.',
  types: () => [CreateRuleSetPayload, NotFound, LimitReached, NotAllowed, InvalidInput] as const,
});

export const UpdateRuleSetResult = createUnionType({
  name: 'UpdateRuleSetResult',
  description: 'The rule set with its new version, or why there is none.',
  types: () => [UpdateRuleSetPayload, NotFound, LimitReached, NotAllowed, InvalidInput] as const,
});

export const DeleteRuleSetResult = createUnionType({
  name: 'DeleteRuleSetResult',
  description: 'What was deleted, or why nothing was.',
  types: () => [DeleteRuleSetPayload, NotFound, InvalidInput] as const,
});

@InputType({ description: 'Rules, and a text to try them on.' })
export class RuleSetTrialInput {
  @Field(() => RuleSetRulesInput, { description: `What is looked for. ${RULES}` })
  rules!: RuleSetRulesInput;

  @Field(() => String, {
    description: `A text as a file would hold it, 1 to ${MAX_SAMPLE} characters. It is kept nowhere.`,
  })
  sample!: string;
}

@Cost(0)
@ObjectType({ simpleResolvers: true, description: 'A category that an entry belongs to.' })
export class RuleSetTrialHit {
  @Field(() => String, { description: 'Name of the category.' })
  category!: string;

  @Field(() => Boolean, { description: 'Whether a phrase was found; a token otherwise.' })
  phrase!: boolean;
}

@Cost(0)
@ObjectType({ simpleResolvers: true, description: 'An entry of a sample in which something was found.' })
export class RuleSetTrialEvent {
  @Field(() => String, { description: 'Text of the entry.' })
  text!: string;

  @Sized({ assumedSize: MAX_HITS })
  @Field(() => [RuleSetTrialHit], { description: 'What was found, by the names of the categories.' })
  hits!: RuleSetTrialHit[];
}

@Cost(0)
@ObjectType({ simpleResolvers: true, description: 'What rules find in a sample.' })
export class RuleSetTrial {
  @Sized({ assumedSize: MAX_HITS })
  @Field(() => [String], { description: 'Languages in which the sample was read.' })
  languages!: string[];

  @Field(() => Int, { description: 'Entries of the sample.' })
  entryCount!: number;

  @Sized({ assumedSize: MAX_SHOWN })
  @Field(() => [RuleSetTrialEvent], {
    description: `Entries in which something was found, the first ${MAX_SHOWN}.`,
  })
  events!: RuleSetTrialEvent[];

  @Sized({ assumedSize: MAX_COUNTS })
  @Field(() => [AnalysisCount], { description: 'Sequences by their names, most first.' })
  sequences!: AnalysisCount[];
}

export const RuleSetTrialResult = createUnionType({
  name: 'RuleSetTrialResult',
  description: 'What the rules find, or what is wrong with them.',
  types: () => [RuleSetTrial, NotAllowed, InvalidInput] as const,
});
