import { Arg, Ctx, Resolver } from 'type-graphql';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { earlierResult } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { MEMBERS } from '../graphql/kit/access.js';
import { Command } from '../graphql/kit/command.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { accountOf } from '../graphql/kit/context.js';
import type { OperatorAction } from '../graphql/kit/operatorAction.js';
import { payload } from '../graphql/kit/payload.js';
import { InvalidInput, refusalOf } from '../graphql/kit/refusals.js';
import type { PersonalData, Sealed } from '../secrets/personalData.js';
import { keyedHash } from '../secrets/secrets.js';
import { emailDecider } from './decideEmail.js';
import { parseEmail } from './email.js';
import { mailboxHash } from './emailStreams.js';
import type { EmailEvent } from './events.js';
import { emailStream } from './events.js';
import {
  OperatorInviteUserInput,
  OperatorInviteUserPayload,
  OperatorInviteUserResult,
} from './inviteUserTypes.js';

/** How long somebody may register by an invitation, in milliseconds. */
const INVITATION_MS = 30 * 86_400_000;

@Resolver()
export class InviteUserResolver {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly emailKey: Buffer,
    private readonly action: OperatorAction,
    private readonly tokens: PositionTokens,
  ) {}

  @Command(() => OperatorInviteUserResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description:
      'Invites somebody by e-mail to register within 30 days. For operators. Again it sends another mail, and the days begin anew.',
  })
  async operatorInviteUser(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorInviteUserInput, { description: 'Input for `operatorInviteUser`.' })
    input: OperatorInviteUserInput,
  ): Promise<typeof OperatorInviteUserResult> {
    const { email: text, ...said } = input;
    const action = this.action(context, said, 'operatorInviteUser');
    if (action instanceof InvalidInput) return action;
    const email = parseEmail(text);
    if (!email) return new InvalidInput('"email" is not an e-mail address.', 'email');
    const hash = await mailboxHash(this.commands, this.emailKey, email);
    const stream = emailStream(hash);
    const named = {
      ...action,
      // The e-mail stands in no event that is not sealed.
      requestHash: keyedHash(this.emailKey, 'request', JSON.stringify([action.requestHash, email.address])),
    };
    const history = await this.commands.load(stream);
    const invitationId = derivedId('user-invitation', action.caller, action.commandId, hash);
    const expiresAt = new Date(context.now + INVITATION_MS);
    const invite = (sealed: Sealed) =>
      ({
        type: 'InviteEmail',
        invitation: {
          invitationId,
          email: sealed,
          expiresAt: expiresAt.toISOString(),
          accountId: accountOf(context),
        },
      }) as const;
    let result = earlierResult<EmailEvent>(history, named);
    if (!result) {
      // What is refused makes no key that nobody would erase.
      const decision = emailDecider.decide(fold(emailDecider, history), invite(''));
      if (decision.kind === 'refused') return refusalOf(decision.refusal, 'Conflict');
      const sealed = await this.personal.seal(invitationId, email.address);
      result = await this.commands.handle(emailDecider, stream, invite(sealed), named);
    }
    if (result.kind === 'refused') return refusalOf(result.refusal, 'Conflict');
    const [event] = result.events;
    return payload(OperatorInviteUserPayload, {
      expiresAt: event?.type === 'EmailInvited' ? new Date(event.data.expiresAt) : expiresAt,
      replayed: result.replayed,
      position: this.tokens.encode(result.position),
    });
  }
}
