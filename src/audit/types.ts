import 'reflect-metadata';
import { ArgsType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { AuditRow } from '../../projections/audit/queries.js';
import { Cost } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { connectionOf, PageArgs } from '../graphql/kit/pages.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Node } from '../graphql/kit/node.js';
import { actorOf, subjectText } from './names.js';

export enum AuditActorType {
  USER = 'user',
  KEY = 'key',
  POLICY = 'policy',
  COMMAND_LINE = 'command_line',
  SYSTEM = 'system',
}
registerEnumType(AuditActorType, {
  name: 'AuditActorType',
  description: 'What kind of actor did something.',
  valuesConfig: {
    USER: { description: 'A user who was signed in.' },
    KEY: { description: 'A back end, with an API key.' },
    POLICY: { description: 'A rule of the service that follows from another event, e.g. `revoke-keys`.' },
    COMMAND_LINE: { description: 'Somebody at the command line of the service.' },
    SYSTEM: { description: 'The service itself, e.g. when it starts or hears from the payment service.' },
  },
});

// It comes with the entry.
@Cost(0)
@ObjectType({ simpleResolvers: true, description: 'Who did something.' })
export class AuditActor {
  @Field(() => AuditActorType, { description: 'What kind of actor it is.' })
  type!: AuditActorType;

  // Not `id`: clients' caches would take it for the user or key itself.
  @Field(() => String, {
    nullable: true,
    description:
      'Id of the user or key, e.g. `usr_…`, for `node` and `AuditFilter.actorId`; of any other actor its name, e.g. `revoke-keys`. Null for the service as a whole.',
  })
  actorId!: string | null;

  @Field(() => Boolean, { description: 'Whether it acted as an operator, above the account.' })
  asOperator!: boolean;
}

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: 'Something that somebody did. It holds no personal data and no secret.',
})
export class AuditEntry extends Node {
  @Field(() => DateTimeISO, { description: 'When it was done.' })
  at!: Date;

  @Field(() => String, { description: 'What was done, e.g. `KeyRevoked`.' })
  action!: string;

  @Field(() => AuditActor, { description: 'Who did it.' })
  actor!: AuditActor;

  @IdOf('Account')
  @Field(() => ID, {
    nullable: true,
    description: 'The affected account; null where no single one is affected.',
  })
  accountId!: string | null;

  @Field(() => String, {
    description:
      'What it was done to: its id, e.g. `key_…`. What has no id is named by its kind, e.g. `operators:main`.',
  })
  subject!: string;

  @Field(() => String, { nullable: true, description: 'Why, where somebody said so.' })
  reason!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'From where an operator did it: a keyed hash of the address, another one every month. Null for others.',
  })
  address!: string | null;
}

export function auditEntryOf({ position: _, account_id: accountId, at, ...row }: AuditRow): AuditEntry {
  return Object.assign(new AuditEntry(), {
    ...row,
    accountId,
    // A date that comes from the database's thread is not this one's: the scalar asks for one of ours.
    at: new Date(at),
    actor: actorOf(row.actor) as AuditActor,
    subject: subjectText(row.subject),
  });
}

export const AuditLogConnection = connectionOf(AuditEntry, {
  entry: 'AuditEntry',
  list: 'AuditLog',
  one: 'entry of the audit log',
  many: 'entries of the audit log',
});

@InputType({ description: 'Which entries of the audit log; what is left out is not asked for.' })
export class AuditFilter {
  @Field(() => String, {
    nullable: true,
    description:
      'Only what this actor did, as an operator or not: the id of a user or key, or the name of a policy, e.g. `usr_…` or `revoke-keys`.',
  })
  actorId?: string | null;

  @Field(() => String, { nullable: true, description: 'Only this action, e.g. `KeyRevoked`.' })
  action?: string | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Only from this time on.' })
  from?: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Only before this time.' })
  to?: Date | null;
}

@ArgsType()
export class AuditLogPage extends PageArgs {
  @Field(() => AuditFilter, { nullable: true, description: 'Only these entries.' })
  filter?: AuditFilter | null;
}
