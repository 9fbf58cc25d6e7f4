import 'reflect-metadata';
import { Field, ID, ObjectType } from 'type-graphql';
import { Sized } from '../graphql/cost/directives.js';
import type { Plan as ProfilePlan } from './profile.js';
import { featuresOf, MAX_FEATURES, MAX_TIERS } from './profile.js';

@ObjectType({ simpleResolvers: true, description: 'Something that a plan includes.' })
export class Feature {
  @Field(() => String, { description: 'Its name, e.g. `teams`.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'How much or which of it, e.g. `24 hours`; null where there is nothing to say beside the name.',
  })
  value!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'A plan of the service: what it includes. Its limits are those of an account that is on it.',
})
export class Plan {
  @Field(() => ID, { description: 'Its id, e.g. `free`.' })
  id!: string;

  @Field(() => String, { description: 'The name for people, e.g. `Free`.' })
  name!: string;

  @Sized({ assumedSize: MAX_TIERS })
  @Field(() => [String], { description: 'The tiers of patterns that it includes.' })
  tiers!: readonly string[];

  @Sized({ assumedSize: MAX_FEATURES })
  @Field(() => [Feature], { description: 'The features that it includes.' })
  features!: readonly Feature[];
}

export function shownPlan(plan: ProfilePlan): Plan {
  const { id, name, catalogue, features } = plan;
  return { id, name, tiers: catalogue?.tiers ?? [], features: featuresOf({ features }) };
}
