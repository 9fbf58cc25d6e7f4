import 'reflect-metadata';
import { ArgsType, Field, ID, InputType, ObjectType } from 'type-graphql';
import type { AuditRow } from '../../projections/audit/queries.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { connectionOf, PageArgs } from '../graphql/kit/pages.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Node } from '../graphql/kit/node.js';

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

  @Field(() => String, {
    description:
      'Who: `user:<id>`, `key:<id>`, `operator:<user id>`, `operator:key:<id>`, `policy:<name>` or `system`.',
  })
  actor!: string;

  @IdOf('Account')
  @Field(() => ID, {
    nullable: true,
    description: 'The affected account; null where no single one is affected.',
  })
  accountId!: string | null;

  @Field(() => String, { description: 'What it was done to, e.g. `key:<id>`.' })
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
  // A date that comes from the database's thread is not this one's: the scalar asks for one of ours.
  return Object.assign(new AuditEntry(), { ...row, accountId, at: new Date(at) });
}

export const AuditLogConnection = connectionOf(AuditEntry, {
  entry: 'AuditEntry',
  list: 'AuditLog',
  one: 'entry of the audit log',
  many: 'entries of the audit log',
});

@InputType({ description: 'Which entries of the audit log; what is left out is not asked for.' })
export class AuditFilter {
  @Field(() => String, { nullable: true, description: 'Only what this actor did, e.g. `user:<id>`.' })
  actor?: string | null;

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
