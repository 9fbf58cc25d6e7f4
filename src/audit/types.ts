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
  description: 'An action that changed something. Contains no personal data and no secrets.',
})
export class AuditEntry extends Node {
  @Field(() => DateTimeISO, { description: 'When it happened.' })
  at!: Date;

  @Field(() => String, { description: 'What happened, e.g. `KeyRevoked`.' })
  action!: string;

  @Field(() => AuditActor, { description: 'Who did it.' })
  actor!: AuditActor;

  @IdOf('Account')
  @Field(() => ID, {
    nullable: true,
    description: 'Id of the affected account. Null if no single account is affected.',
  })
  accountId!: string | null;

  @Field(() => String, {
    description:
      'What it was done to: its id, e.g. `key_…`. What has no id is named by its kind, e.g. `operators:main`.',
  })
  subject!: string;

  @Field(() => String, { nullable: true, description: 'Reason, if one was given.' })
  reason!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Where an operator acted from: a keyed hash of the IP address, which changes every month. Null for others.',
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

@InputType({ description: 'Selects entries of the audit log. All given conditions must hold.' })
export class AuditFilter {
  @Field(() => String, {
    nullable: true,
    description:
      'Only what this actor did, as an operator or not: the id of a user or key, or the name of a policy, e.g. `usr_…` or `revoke-keys`.',
  })
  actorId?: string | null;

  @Field(() => String, { nullable: true, description: 'Action, e.g. `KeyRevoked`.' })
  action?: string | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Earliest time, inclusive.' })
  from?: Date | null;

  @Field(() => DateTimeISO, { nullable: true, description: 'Latest time, exclusive.' })
  to?: Date | null;
}

@ArgsType()
export class AuditLogPage extends PageArgs {
  @Field(() => AuditFilter, { nullable: true, description: 'Selects entries; by default all.' })
  filter?: AuditFilter | null;
}
