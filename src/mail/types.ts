import 'reflect-metadata';
import {
  ArgsType,
  createUnionType,
  Field,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { shownId } from '../graphql/kit/ids.js';
import { connectionOf, PageArgs } from '../graphql/kit/pages.js';
import { Payload } from '../graphql/kit/payload.js';
import { Conflict, InvalidInput, NotFound } from '../graphql/kit/refusals.js';
import type { LoggedAttempt, LoggedDelivery } from '../outgoing/outbox.js';
import { DELIVERED } from '../outgoing/outbox.js';
import type { AboutMail } from './deliveries.js';

export enum MailStatus {
  PENDING = 'PENDING',
  SENT = 'SENT',
  GIVEN_UP = 'GIVEN_UP',
}
registerEnumType(MailStatus, {
  name: 'MailStatus',
  description: 'State of a mail.',
  valuesConfig: {
    PENDING: { description: 'It will be attempted, for the first time or again.' },
    SENT: { description: 'The mail server has taken it.' },
    GIVEN_UP: { description: 'It is not attempted again, unless it is replayed.' },
  },
});

/** Attempts of one mail that are shown, the newest. */
export const MAX_MAIL_ATTEMPTS = 10;

@ObjectType({ simpleResolvers: true, description: 'One attempt to send a mail.' })
export class MailAttempt {
  @Field(() => DateTimeISO, { description: 'When it began.' })
  at!: Date;

  @Field(() => Int, { description: 'How long it took, in milliseconds.' })
  durationMs!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'The code of the mail server’s answer, e.g. 550, where it refused; otherwise null.',
  })
  status!: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Null if it succeeded. `REFUSED` (the server refuses the recipient for good), `NOT_TAKEN` (it was away, or refused for now) or `NOT_MADE` (the mail could not be written: the log says why).',
  })
  failure!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'A mail, without its address and text. Kept for 30 days after it was sent or given up.',
})
export class Mail {
  @Field(() => ID, { description: 'Id of the mail. It is also the first part of its Message-ID.' })
  id!: string;

  @Field(() => String, { description: 'What it is for, e.g. `verify-email` or `payment-failed`.' })
  kind!: string;

  @Field(() => String, {
    description: 'Id of the user who gets it, `usr_…`, or of the invitation, `inv_…`.',
  })
  recipientId!: string;

  @Field(() => MailStatus, { description: 'Whether it is pending, was sent or was given up.' })
  status!: MailStatus;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it was given up: `REFUSED` (the server refuses the recipient), `EXPIRED` (what it offers is over), `ERASED` (the recipient was erased) or `EXHAUSTED` (the last of the attempts over three days failed). Otherwise null.',
  })
  givenUpReason!: string | null;

  @Field(() => DateTimeISO, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Field(() => DateTimeISO, {
    nullable: true,
    description: 'When it is attempted next. Null if it is not attempted again.',
  })
  nextAttemptAt!: Date | null;

  @Sized({ assumedSize: MAX_MAIL_ATTEMPTS })
  @Field(() => [MailAttempt], { description: `The last ${MAX_MAIL_ATTEMPTS} attempts, newest first.` })
  attempts!: MailAttempt[];
}

export const MailConnection = connectionOf(Mail, { entry: 'Mail', one: 'mail', many: 'mails' });

export function mailOf(row: LoggedDelivery, attempts: readonly LoggedAttempt[]): Mail {
  const { id, about, askedAt, dueAt, outcome } = row;
  const { kind, userId } = about as AboutMail;
  const ended = outcome === DELIVERED ? MailStatus.SENT : MailStatus.GIVEN_UP;
  return Object.assign(new Mail(), {
    id,
    kind,
    recipientId: shownId(kind.startsWith('invite-') ? 'Invitation' : 'User', userId),
    status: outcome === null ? MailStatus.PENDING : ended,
    givenUpReason: outcome === DELIVERED ? null : outcome,
    createdAt: new Date(askedAt),
    nextAttemptAt: dueAt && new Date(dueAt),
    attempts: attempts
      .filter(({ deliveryId }) => deliveryId === id)
      .map(({ at, durationMs, status, failure }) =>
        Object.assign(new MailAttempt(), { at: new Date(at), durationMs, status, failure }),
      ),
  });
}

@ArgsType()
export class MailPage extends PageArgs {
  @Field(() => MailStatus, { nullable: true, description: 'Mails in this state; by default all.' })
  status?: MailStatus | null;
}

@InputType({ description: 'Input for `operatorReplayMail`.' })
export class OperatorReplayMailInput {
  @Field(() => ID, { description: 'Id of the mail, as `operator { mails }` shows it.' })
  mailId!: string;

  @Field(() => String, {
    description: 'Reason, 1 to 500 characters. Kept forever, so it must not contain personal data.',
  })
  reason!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The mail is sent once more.' })
export class OperatorReplayMailPayload extends Payload {
  @Field(() => ID, { description: 'The mail, as the input has named it.' })
  mailId!: string;
}

export const OperatorReplayMailResult = createUnionType({
  name: 'OperatorReplayMailResult',
  description: 'The mail that is sent once more, or the reason why it is not.',
  types: () => [OperatorReplayMailPayload, NotFound, Conflict, InvalidInput] as const,
});
