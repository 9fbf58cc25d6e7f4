import 'reflect-metadata';
import { Field, ID, ObjectType } from 'type-graphql';
import { Sized } from '../graphql/cost/directives.js';
import type { Plan as ProfilePlan } from './profile.js';
import { featuresOf, MAX_FEATURES, MAX_TIERS } from './profile.js';

@ObjectType({ simpleResolvers: true, description: 'A feature of a plan.' })
export class Feature {
  @Field(() => String, { description: 'Name of the feature, e.g. `teams`.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Extent of the feature, e.g. `24 hours`. Null if it is simply included.',
  })
  value!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'A plan of the service and what it includes. For its limits, see `Account.limits` of an account on this plan.',
})
export class Plan {
  @Field(() => ID, { description: 'Id of the plan, e.g. `free`.' })
  id!: string;

  @Field(() => String, { description: 'Display name, e.g. `Free`.' })
  name!: string;

  @Sized({ assumedSize: MAX_TIERS })
  @Field(() => [String], { description: 'Tiers of patterns that the plan includes, e.g. `community`.' })
  tiers!: readonly string[];

  @Sized({ assumedSize: MAX_FEATURES })
  @Field(() => [Feature], { description: 'Features that the plan includes, e.g. `teams`.' })
  features!: readonly Feature[];

  @Field(() => String, {
    nullable: true,
    description:
      'Support for customers on this plan, e.g. `By e-mail within a day`. Null if the plan promises none.',
  })
  support!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Availability that the plan promises, e.g. `99.9 % of each month`. Null if it promises none.',
  })
  serviceLevel!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Whom to ask for a plan that is sold by contract; null for one that anybody can buy.',
  })
  contact!: string | null;
}

export function shownPlan(plan: ProfilePlan): Plan {
  const { id, name, catalogue, features, support = null, serviceLevel = null, contact = null } = plan;
  const tiers = catalogue?.tiers ?? [];
  return { id, name, tiers, features: featuresOf({ features }), support, serviceLevel, contact };
}
