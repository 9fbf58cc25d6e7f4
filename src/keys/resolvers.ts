import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { KeyQueries, KeyRow } from '../../projections/keys/queries.js';
import { Account } from '../accounts/types.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../eventsourcing/commandId.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { pageOf } from '../graphql/connection.js';
import type { Cursors, Place } from '../graphql/cursors.js';
import { Cost, MUTATION, Sized } from '../graphql/cost/directives.js';
import type { RequestContext } from '../graphql/context.js';
import { accountOf, actorOf } from '../graphql/context.js';
import { Access, BUILDERS, MEMBERS } from '../graphql/access.js';
import { Metered } from '../graphql/metering.js';
import { InvalidInput, NotFound, refused } from '../graphql/refusals.js';
import { key as decider } from './decide.js';
import { keyStream } from './events.js';
import type { IssueKey } from './issue.js';
import type { KeyEnvironment, KeyScope } from './types.js';
import {
  IssueKeyInput,
  IssueKeyPayload,
  IssueKeyResult,
  Key,
  KeyConnection,
  keyOf,
  KeysPage,
  RevokeKeyInput,
  RevokeKeyPayload,
  RevokeKeyResult,
} from './types.js';

const MAX_NAME = 100;
/** Names the list in its cursors. */
const LIST = 'keys';

@Resolver()
export class KeysResolver {
  constructor(
    private readonly issue: IssueKey,
    private readonly commands: CommandHandler,
    private readonly tokens: PositionTokens,
  ) {}

  @Metered('guarded')
  @Access({ scope: 'admin', roles: BUILDERS })
  @Cost(MUTATION)
  @Mutation(() => IssueKeyResult, {
    nullable: true,
    description: 'Issues a key for the account. The secret is shown this once.',
  })
  async issueKey(
    @Ctx() context: RequestContext,
    @Arg('input', () => IssueKeyInput, { description: 'The new key.' }) input: IssueKeyInput,
  ): Promise<typeof IssueKeyResult> {
    const accountId = accountOf(context);
    const name = input.name.trim();
    const scopes = [...new Set(input.scopes)];
    const expiresAt = input.expiresAt ?? null;
    if (name === '' || name.length > MAX_NAME) {
      return new InvalidInput(`"name" must have 1 to ${MAX_NAME} characters.`, 'name');
    }
    if (scopes.length === 0) return new InvalidInput('"scopes" needs at least one scope.', 'scopes');
    const commandId = commandIdOf(input.commandId);
    if (commandId === undefined) return badCommandId();

    const { environment } = input;
    const result = await this.issue.execute(
      { accountId, name, environment, scopes, expiresAt },
      {
        commandId,
        caller: actorOf(context),
        at: new Date(context.now),
        correlationId: context.correlationId,
      },
    );
    if (result.kind === 'refused') return refused(result.refusal);
    const { keyId, key, stored, secret } = result;
    return Object.assign(new IssueKeyPayload(), {
      key: Object.assign(new Key(), {
        id: keyId,
        name: key.name,
        environment: key.environment as KeyEnvironment,
        scopes: key.scopes as readonly KeyScope[],
        prefix: key.prefix,
        last4: key.last4,
        issuedAt: new Date(stored.metadata.at),
        expiresAt: key.expiresAt === null ? null : new Date(key.expiresAt),
        revokedAt: null,
      }),
      secret,
      secretNotice: secret === null ? 'SECRET_ALREADY_SHOWN' : null,
      position: this.tokens.encode(stored.position),
    });
  }

  @Metered('guarded')
  @Access({ scope: 'admin', roles: BUILDERS })
  @Cost(MUTATION)
  @Mutation(() => RevokeKeyResult, {
    nullable: true,
    description: 'Revokes a key of the account at once. Revoking it again changes nothing.',
  })
  async revokeKey(
    @Ctx() context: RequestContext,
    @Arg('input', () => RevokeKeyInput, { description: 'The key.' }) input: RevokeKeyInput,
  ): Promise<typeof RevokeKeyResult> {
    const accountId = accountOf(context);
    const commandId = commandIdOf(input.commandId);
    if (commandId === undefined) return badCommandId();
    const by = actorOf(context);
    const result = await this.commands.handle(
      decider,
      keyStream(input.id),
      { type: 'RevokeKey', accountId, by },
      {
        commandId,
        caller: by,
        requestHash: `revoke:${input.id}`,
        at: new Date(context.now),
        environment: 'live',
        correlationId: context.correlationId,
      },
    );
    if (result.kind === 'refused') {
      const { code, message } = result.refusal;
      return code === 'NOT_FOUND' ? new NotFound(message) : refused(result.refusal);
    }
    return Object.assign(new RevokeKeyPayload(), {
      id: input.id,
      position: this.tokens.encode(result.position),
    });
  }
}

@Resolver(() => Account)
export class AccountKeysResolver {
  constructor(
    private readonly queries: KeyQueries,
    private readonly cursors: Cursors,
  ) {}

  @Access({ scope: 'admin', roles: MEMBERS })
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => KeyConnection, {
    description: 'The keys of the account, the oldest first.',
  })
  async keys(
    @Root() account: Account,
    @Args(() => KeysPage) { first, after }: KeysPage,
  ): Promise<KeyConnection> {
    const place = this.cursors.after(LIST, after);
    const cursor = place && { issuedAt: new Date(Number(place[0])), id: place[1] as string };
    const rows = await this.queries.ofAccount(account.id, first, cursor);
    const placeOf = (row: KeyRow): Place => [row.issued_at.getTime(), row.id];
    return pageOf(this.cursors, LIST, rows, { first, after }, placeOf, keyOf);
  }
}

function badCommandId(): InvalidInput {
  return new InvalidInput(BAD_COMMAND_ID, 'commandId');
}
