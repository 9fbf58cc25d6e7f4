import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { CommandSender } from '../graphql/kit/command.js';
import { Command } from '../graphql/kit/command.js';
import { MANAGERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { accountOf, standingOf } from '../graphql/kit/context.js';
import { payload } from '../graphql/kit/payload.js';
import { InvalidInput, notDone, NotFound } from '../graphql/kit/refusals.js';
import type { PersonalData } from '../secrets/personalData.js';
import { keyedHash } from '../secrets/secrets.js';
import { textProblem, tidy } from '../text/text.js';
import { accountDecider } from './decideAccount.js';
import { accountStream } from './events.js';
import { ACCOUNT_NAME, RenameAccountInput, RenameAccountPayload, RenameAccountResult } from './nameTypes.js';
import { Account } from './types.js';

@Resolver(() => Account)
export class AccountNameResolver {
  constructor(
    private readonly sender: CommandSender,
    private readonly personal: PersonalData,
    private readonly hashKey: Buffer,
  ) {}

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'Display name: as set with `renameAccount`, otherwise the name of the user who opened the account. Null if there is neither, and after the account was deleted.',
  })
  name(@Root() { id }: Account, @Ctx() { loaders }: RequestContext): Promise<string | null> {
    return loaders.accountName.load(id);
  }

  @Command(() => RenameAccountResult, {
    access: { roles: MANAGERS },
    description: 'Changes the display name of the account that the session works in. Requires a session.',
  })
  async renameAccount(
    @Ctx() context: RequestContext,
    @Arg('input', () => RenameAccountInput, { description: 'Input for `renameAccount`.' })
    input: RenameAccountInput,
  ): Promise<typeof RenameAccountResult> {
    const accountId = accountOf(context);
    const name = tidy(input.name);
    const problem = textProblem('name', name, ACCOUNT_NAME);
    if (problem !== undefined) return new InvalidInput(problem, 'name');
    const row = await context.loaders.account.load(accountId);
    if (!row || row.deleted_at !== null) return new NotFound('The account is not there any more.');
    const { owner_id: ownerId } = row;
    const sent = await this.sender.send(context, input, {
      decider: accountDecider,
      stream: accountStream(accountId),
      // Sealed for whom it is erased with.
      command: { type: 'RenameAccount', ownerId, name: await this.personal.seal(ownerId, name) },
      request: `rename:${keyedHash(this.hashKey, 'request', JSON.stringify({ name }))}`,
    });
    if (sent.kind === 'refused') return notDone(sent.refusal);
    context.loaders.account.clear(accountId);
    context.loaders.accountName.clear(accountId);
    const account = new Account(accountId, standingOf(context));
    return payload(RenameAccountPayload, { account, replayed: sent.replayed, position: sent.position });
  }
}
