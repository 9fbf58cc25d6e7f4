import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import type { AccountEvent } from '../accounts/events.js';
import { accountStream } from '../accounts/events.js';
import { fold } from '../eventsourcing/decider.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { PersonalData, Sealed } from '../secrets/personalData.js';
import { keyedHash } from '../secrets/secrets.js';
import { teamDecider } from './decide.js';
import type { Role, TeamEvent } from './events.js';
import { teamStream } from './events.js';

/** How long an invitation can be accepted, in milliseconds. */
export const INVITATION_MS = 7 * 24 * 3_600_000;

export interface NewInvitation {
  readonly accountId: string;
  readonly invitedBy: string;
  /** Normalised. */
  readonly email: string;
  readonly role: Role;
}

/** The command InviteMember. The invitation's id follows from the command's, so that a repetition meets it. */
export class InviteMember {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly hashKey: Buffer,
    /** Names an e-mail's stream. */
    private readonly emailHash: (normalised: string) => string,
  ) {}

  async execute(
    { accountId, invitedBy, email, role }: NewInvitation,
    { commandId, at, correlationId }: Pick<CommandContext, 'commandId' | 'at' | 'correlationId'>,
  ): Promise<CommandResult<TeamEvent>> {
    const caller = `user:${invitedBy}`;
    const context: CommandContext = {
      commandId,
      caller,
      requestHash: keyedHash(this.hashKey, 'request', JSON.stringify({ accountId, email, role })),
      at,
      environment: 'live',
      correlationId,
    };
    const stream = teamStream(accountId);
    // A repetition seals nothing: its invitation may be over, and the e-mail erased.
    const history = await this.commands.load(stream);
    const earlier = earlierResult<TeamEvent>(history, context);
    if (earlier) return earlier;
    const [opened] = await this.commands.load(accountStream(accountId));
    if (!opened) return NO_ACCOUNT;
    const invitationId = derivedId('invitation', caller, accountId, commandId);
    const invite = (sealed: Sealed) => ({
      type: 'InviteMember' as const,
      ownerId: as<AccountEvent>(opened).data.ownerId,
      invitation: {
        invitationId,
        emailHash: this.emailHash(email),
        email: sealed,
        role,
        invitedBy,
        expiresAt: new Date(at.getTime() + INVITATION_MS).toISOString(),
      },
      at,
    });
    // What is refused makes no key that nobody would erase.
    const decision = teamDecider.decide(fold(teamDecider, history), invite(''));
    if (decision.kind === 'refused') return decision;
    const sealed = await this.personal.seal(invitationId, email);
    return this.commands.handle(teamDecider, stream, invite(sealed), context);
  }
}

const NO_ACCOUNT: CommandResult<TeamEvent> = {
  kind: 'refused',
  refusal: { code: 'NOT_FOUND', message: 'The account is not there yet. Try again.' },
};
