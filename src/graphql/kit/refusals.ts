import 'reflect-metadata';
import { Field, Int, InterfaceType, ObjectType } from 'type-graphql';
import { BAD_COMMAND_ID } from '../../eventsourcing/commandId.js';
import type { Refusal as RefusalValue } from '../../eventsourcing/decider.js';

/** What an expected failure looks like, whichever it is. */
@InterfaceType({ description: 'An expected failure: part of the answer, not of `errors`.' })
export abstract class Refusal {
  @Field(() => String, { description: 'Stable and machine-readable, e.g. `EMAIL_TAKEN`.' })
  code: string;

  @Field(() => String, { description: 'A sentence for people. It may change; decide by `code`.' })
  message: string;

  constructor(code: string, message: string) {
    this.code = code;
    this.message = message;
  }
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description:
    'A field of the input cannot be used. Codes: `INVALID_INPUT`, `PASSWORD_WRONG`, `TOKEN_INVALID`, `PLAN_UNKNOWN`, `COMMAND_ID_REUSED`.',
})
export class InvalidInput extends Refusal {
  @Field(() => String, { nullable: true, description: 'The field at fault.' })
  field: string | null;

  constructor(message: string, field: string | null, code = 'INVALID_INPUT') {
    super(code, message);
    this.field = field;
  }
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: 'An account with this e-mail exists already. Code: `EMAIL_TAKEN`.',
})
export class EmailTaken extends Refusal {}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: 'There is nothing with this id or slug, or it belongs to another account. Code: `NOT_FOUND`.',
})
export class NotFound extends Refusal {
  constructor(message: string) {
    super('NOT_FOUND', message);
  }
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: 'The account’s plan does not include this. Code: `PLAN_REQUIRED`.',
})
export class PlanRequired extends Refusal {
  @Field(() => String, { description: 'The smallest plan that opens it.' })
  plan: string;

  constructor(plan: string, message: string) {
    super('PLAN_REQUIRED', message);
    this.plan = plan;
  }
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description:
    'Nobody is signed in. Codes: `SIGN_IN_REFUSED` (e-mail and password do not belong together), `SIGN_IN_LIMITED` (too many attempts for this e-mail), `REFRESH_TOKEN_INVALID` (unknown, over, or of a session that has ended), `REFRESH_TOKEN_REUSED` (used before: the session has been ended).',
})
export class SignInRefused extends Refusal {
  @Field(() => Int, { nullable: true, description: 'Seconds to wait, where waiting helps.' })
  retryAfter: number | null;

  constructor(code: string, message: string, retryAfter: number | null = null) {
    super(code, message);
    this.retryAfter = retryAfter;
  }
}

/** Refusals of deciders that have no type of their own are about the input. */
export function refused({ code, message, field }: RefusalValue): InvalidInput {
  return new InvalidInput(message, field ?? null, code);
}

/** What was not done: it is not there, or the input is why. */
export function notDone(refusal: RefusalValue): NotFound | InvalidInput {
  return refusal.code === 'NOT_FOUND' ? new NotFound(refusal.message) : refused(refusal);
}

export const badCommandId = (): InvalidInput => new InvalidInput(BAD_COMMAND_ID, 'commandId');
