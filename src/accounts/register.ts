import type { Clock } from '../clock.js';
import type { CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { Refusal } from '../eventsourcing/decider.js';
import { fold } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { PersonalData } from '../secrets/personalData.js';
import { keyedHash } from '../secrets/secrets.js';
import { textProblem, tidy } from '../text/text.js';
import { emailDecider } from './decideEmail.js';
import { parseEmail } from './email.js';
import { mailboxHash } from './emailStreams.js';
import type { EmailEvent } from './events.js';
import { emailStream } from './events.js';
import { hashPassword, passwordProblem } from './passwords.js';

export interface Registration {
  readonly email: string;
  readonly password: string;
  readonly name?: string | null | undefined;
  readonly commandId?: string | null | undefined;
}

export type Registered =
  | {
      readonly kind: 'registered';
      readonly userId: string;
      readonly accountId: string;
      readonly sealedEmail: string;
      readonly sealedName: string;
      readonly at: Date;
      readonly position: Position;
      readonly replayed: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Who may register: everybody, whoever an operator has invited, or nobody. */
export type Admission = 'open' | 'invitation' | 'closed';

/** A user's name. */
export const NAME = { max: 100 };

/** The command RegisterUser: it commits on the e-mail's stream (decision 3). */
export class RegisterUser {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly emailKey: Buffer,
    private readonly clock: Clock,
    /** For an e-mail, normalised. */
    private readonly admission: (email: string) => Admission = () => 'open',
  ) {}

  async execute(registration: Registration, correlationId: string): Promise<Registered> {
    const { password } = registration;
    const name = registration.name == null ? null : tidy(registration.name);
    const parsed = parseEmail(registration.email);
    if (parsed === undefined) return refused('"email" is not an e-mail address.', 'email');
    const problem = passwordProblem('password', password);
    if (problem !== undefined) return refused(problem, 'password');
    const wrongName = textProblem('name', name ?? '', NAME);
    if (wrongName !== undefined) return refused(wrongName, 'name');
    const commandId = commandIdOf(registration.commandId);
    if (commandId === undefined) {
      return refused(BAD_COMMAND_ID, 'commandId');
    }

    const { address: email } = parsed;
    const hash = await mailboxHash(this.commands, this.emailKey, parsed);
    // Nobody is signed in yet, so the e-mail is the scope of the command id.
    const caller = `email:${hash}`;
    const context = {
      commandId,
      caller,
      requestHash: keyedHash(this.emailKey, 'request', JSON.stringify({ email, name })),
      at: new Date(this.clock()),
      environment: 'live',
      correlationId,
    } as const;
    const stream = emailStream(hash);
    // Neither a repetition nor a taken e-mail makes a key for a user; the user of a repetition may have
    // been erased since.
    const history = await this.commands.load(stream);
    const earlier = earlierResult<EmailEvent>(history, context);
    if (earlier) return registered(earlier);
    const admission = this.admission(email);
    if (admission === 'closed') {
      return { kind: 'refused', refusal: { code: 'REGISTRATION_CLOSED', message: CLOSED } };
    }
    const invitedAt = admission === 'invitation' ? context.at : undefined;
    const register = (registration: Registering) =>
      ({ type: 'RegisterEmail', registration, invitedAt }) as const;
    const decision = emailDecider.decide(fold(emailDecider, history), register(NOTHING));
    if (decision.kind === 'refused') return decision;

    const userId = derivedId('user', caller, commandId);
    const seal = (text: string): Promise<string> => this.personal.seal(userId, text);
    const sealed = {
      userId,
      accountId: derivedId('account', caller, commandId),
      email: await seal(email),
      name: await seal(name ?? ''),
      passwordHash: await seal(await hashPassword(password)),
    };
    return registered(await this.commands.handle(emailDecider, stream, register(sealed), context));
  }
}

type Registering = Extract<EmailEvent, { type: 'EmailRegistered' }>['data'];

/** To find out whether it would be refused. */
const NOTHING: Registering = { userId: '', accountId: '', email: '', name: '', passwordHash: '' };
const CLOSED = 'This service takes no registrations.';

function registered(result: CommandResult<EmailEvent>): Registered {
  if (result.kind === 'refused') return result;
  const [event] = result.events;
  const [stored] = result.stored;
  if (event?.type !== 'EmailRegistered' || !stored) {
    throw new Error('RegisterUser was accepted without EmailRegistered');
  }
  const { userId, accountId, email, name } = event.data;
  return {
    kind: 'registered',
    userId,
    accountId,
    sealedEmail: email,
    sealedName: name,
    at: new Date(stored.metadata.at),
    position: result.position,
    replayed: result.replayed,
  };
}

function refused(message: string, field: string): Registered {
  return { kind: 'refused', refusal: { code: 'INVALID_INPUT', message, field } };
}
