import 'reflect-metadata';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { Sized } from '../../graphql/cost/directives.js';
import { DateTimeISO } from '../../graphql/kit/dateTime.js';
import { Quantity } from '../../graphql/kit/quantity.js';
import { MAX_TOTALS } from '../types.js';

export enum ProjectionMethod {
  SAME_TIMES_LAST_WEEK = 'SAME_TIMES_LAST_WEEK',
  MEAN_SINCE_BEGIN = 'MEAN_SINCE_BEGIN',
}
registerEnumType(ProjectionMethod, {
  name: 'ProjectionMethod',
  description: 'How use is projected for the time that is left.',
  valuesConfig: {
    SAME_TIMES_LAST_WEEK: {
      description:
        'As much as at the same times of the week before, by the hour. Of what is left beyond a week, each week is as that one.',
    },
    MEAN_SINCE_BEGIN: {
      description: 'As much an hour as on average since use began, which is less than a week ago.',
    },
  },
});

@ObjectType({ simpleResolvers: true, description: 'Where a meter is projected to end.' })
export class ProjectedTotal {
  @Field(() => ID, { description: 'The meter by its id, e.g. `requests`.' })
  meter!: string;

  @Field(() => Quantity, { description: 'What was used in the period so far.' })
  used!: string;

  @Field(() => Quantity, {
    nullable: true,
    description: 'What it will come to at the end; at least `used`. Null in the first hour of use.',
  })
  projected!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'Where a period ends if all goes on: what was used in it so far, and what the method gives for the time that is left. It knows of no growth, no holidays and no limits.',
})
export class UsageProjection {
  @Field(() => DateTimeISO, { description: 'When the period began.' })
  from!: Date;

  @Field(() => DateTimeISO, { description: 'When it ends (exclusive).' })
  to!: Date;

  @Field(() => DateTimeISO, { description: 'When these figures were read.' })
  asOf!: Date;

  @Field(() => ProjectionMethod, { description: 'How the time that is left is projected.' })
  method!: ProjectionMethod;

  @Sized({ assumedSize: MAX_TOTALS })
  @Field(() => [ProjectedTotal], { description: 'Every meter whose uses can be added up.' })
  totals!: ProjectedTotal[];

  @Field(() => Boolean, { description: 'As `Usage.stale`.' })
  stale!: boolean;
}
