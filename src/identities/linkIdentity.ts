import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Position } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { Identity } from '../oidc/issuers.js';
import { identityDecider } from './decide.js';
import type { IdentityLinked } from './events.js';
import { identityStream } from './events.js';
import type { Link } from './identities.js';

export type Linking =
  | { readonly kind: 'linked'; readonly link: Link }
  | { readonly kind: 'refused'; readonly code: 'IDENTITY_NOT_LINKED' | 'EMAIL_UNVERIFIED' };

/** Finds or makes the user of an e-mail that an issuer has verified. */
export interface FindsUser {
  /** @param context of the command with an id: the same for the same identity, whoever asks */
  execute(
    claims: { readonly email: string; readonly name: string | undefined },
    caller: string,
    context: (commandId: string) => CommandContext,
  ): Promise<
    | { readonly kind: 'user'; readonly user: Link; readonly how: IdentityLinked['data']['how'] }
    | Extract<Linking, { kind: 'refused' }>
  >;
}

/**
 * The command LinkIdentity, for the first good token of an identity: it belongs to the user who has shown the
 * same e-mail to be theirs, or to a new one.
 *
 * A new user is several appends, the link the last: each does nothing where it was done before, so that the
 * next token goes on after a crash, and parallel first calls make one user.
 */
export class LinkIdentity {
  constructor(
    private readonly commands: CommandHandler,
    private readonly users: FindsUser,
    /** Waits, bounded, for the read models of accounts to have seen a position. */
    private readonly shown: (position: Position) => Promise<unknown>,
  ) {}

  /** @param hash of issuer and subject */
  async execute(hash: string, { issuer, email, name }: Identity, at: Date): Promise<Linking> {
    const stream = identityStream(hash);
    const [linked] = await this.commands.load(stream);
    if (linked) return linkedBy(as<IdentityLinked>(linked));
    if (email === undefined) return { kind: 'refused', code: 'IDENTITY_NOT_LINKED' };

    const caller = `identity:${hash}`;
    const context = (commandId: string): CommandContext => ({
      commandId,
      caller,
      requestHash: commandId,
      at,
      environment: 'live',
      correlationId: derivedId('link', hash),
    });
    const found = await this.users.execute({ email, name }, caller, context);
    if (found.kind === 'refused') return found;
    const { user, how } = found;
    // The one command of this stream: whoever comes second gets what the first has linked.
    const result = await this.commands.handle(
      identityDecider,
      stream,
      { type: 'LinkIdentity', link: { ...user, issuer, how } },
      context('link'),
    );
    const event = result.kind === 'accepted' ? result.events[0] : undefined;
    if (result.kind === 'refused' || !event) throw new Error('LinkIdentity came without IdentityLinked');
    if (how === 'registered') await this.shown(result.position);
    return linkedBy(event);
  }
}

const linkedBy = ({ data: { userId, accountId } }: IdentityLinked): Linking => ({
  kind: 'linked',
  link: { userId, accountId },
});
