import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { CommandSender } from '../graphql/kit/command.js';
import { Command, senderOf } from '../graphql/kit/command.js';
import type { KeyQueries, KeyRow } from '../../projections/keys/queries.js';
import { Account } from '../accounts/types.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import type { Page } from '../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../graphql/kit/pages.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
import { Cost, Sized } from '../graphql/cost/directives.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { accountOf, actorOf } from '../graphql/kit/context.js';
import { Access, BUILDERS, MANAGERS, MEMBERS } from '../graphql/kit/access.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { payload } from '../graphql/kit/payload.js';
import { badCommandId, InvalidInput, notDone, refusalOf } from '../graphql/kit/refusals.js';
import type { Meter } from '../plans/meters.js';
import { amountOf } from '../plans/meters.js';
import { MAX_AMOUNT } from '../plans/profile.js';
import { LimitStatus, statusOf } from '../usage/limits/limitTypes.js';
import { textProblem, tidy } from '../text/text.js';
import type { KnownKey } from './cache.js';
import type { Authority } from './decide.js';
import { keyDecider, MAX_KEY_LIMITS } from './decide.js';
import type { KeyLimit } from './events.js';
import { keyStream, SCOPES } from './events.js';
import type { KeySecrets } from './secrets.js';
import type { KeyLimitInput } from './types.js';
import {
  IssueKeyInput,
  IssueKeyPayload,
  IssueKeyResult,
  Key,
  KeyConnection,
  keyOf,
  keyOfEvents,
  RevokeKeyInput,
  RevokeKeyPayload,
  RevokeKeyResult,
  RotateKeyInput,
  RotateKeyPayload,
  RotateKeyResult,
} from './types.js';

const NAME = { min: 1, max: 100 };
/** Who sees the keys of an account. */
export const KEYS_ACCESS = { scope: 'admin', roles: MEMBERS } as const;
/** Names the list in its cursors. */
const LIST = 'keys';

@Resolver()
export class KeysResolver {
  constructor(
    private readonly secrets: KeySecrets,
    private readonly commands: CommandHandler,
    private readonly tokens: PositionTokens,
    private readonly sender: CommandSender,
    private readonly meters: () => readonly Meter[],
    private readonly operators: { own(accountId: string): boolean },
  ) {}

  @Command(() => IssueKeyResult, {
    access: { scope: 'admin', roles: BUILDERS },
    description:
      'Issues an API key. The secret is shown only in this answer. Example: `mutation { issueKey(input: { name: "CI" }) { ... on IssueKeyPayload { secret key { id } } ... on Refusal { code message } } }`.',
  })
  async issueKey(
    @Ctx() context: RequestContext,
    @Arg('input', () => IssueKeyInput, { description: 'Input for `issueKey`.' }) input: IssueKeyInput,
  ): Promise<typeof IssueKeyResult> {
    const accountId = accountOf(context);
    const name = tidy(input.name);
    const scopes = [...new Set(input.scopes)];
    const expiresAt = input.expiresAt ?? null;
    const problem = textProblem('name', name, NAME);
    if (problem !== undefined) return new InvalidInput(problem, 'name');
    if (scopes.length === 0) return new InvalidInput('"scopes" needs at least one scope.', 'scopes');
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    const { environment, metadata } = input;
    const limits = limitsOf(input.limits, this.meters());
    if (limits instanceof InvalidInput) return limits;

    const result = await this.secrets.issue(
      {
        accountId,
        name,
        environment,
        scopes,
        expiresAt,
        ...(limits.length > 0 && { limits }),
        ...(metadata.length > 0 && {
          metadata: metadata.map(({ name, value }) => ({ name: tidy(name), value: tidy(value) })),
        }),
      },
      this.#authorityOf(context),
      sender,
    );
    if (result.kind === 'refused') return refusalOf(result.refusal);
    return payload(IssueKeyPayload, {
      key: keyOfEvents([result.stored], this.meters()),
      ...this.#shown(result),
    });
  }

  @Command(() => RotateKeyResult, {
    access: { scope: 'admin', roles: BUILDERS },
    description:
      'Gives a key a new secret, which is shown only in this answer. The previous secret keeps working for `graceSeconds`. The key keeps its id, limits and usage.',
  })
  async rotateKey(
    @Ctx() context: RequestContext,
    @Arg('input', () => RotateKeyInput, { description: 'Input for `rotateKey`.' }) input: RotateKeyInput,
  ): Promise<typeof RotateKeyResult> {
    const accountId = accountOf(context);
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    const { keyId, graceSeconds } = input;
    const result = await this.secrets.rotate(
      { accountId, keyId, graceSeconds, by: actorOf(context) },
      this.#authorityOf(context),
      sender,
    );
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'Conflict', 'LimitReached');
    const events = await this.commands.load(keyStream(keyId));
    return payload(RotateKeyPayload, {
      key: keyOfEvents(events, this.meters()),
      ...this.#shown(result),
    });
  }

  @Command(() => RevokeKeyResult, {
    access: { scope: 'admin', roles: BUILDERS },
    description:
      'Revokes a key of the account at once: every node refuses it within a second. Revoking it again changes nothing.',
  })
  async revokeKey(
    @Ctx() context: RequestContext,
    @Arg('input', () => RevokeKeyInput, { description: 'Input for `revokeKey`.' }) input: RevokeKeyInput,
  ): Promise<typeof RevokeKeyResult> {
    const { keyId } = input;
    const sent = await this.sender.send(context, input, {
      decider: keyDecider,
      stream: keyStream(keyId),
      command: {
        type: 'RevokeKey',
        accountId: accountOf(context),
        by: actorOf(context),
        authority: this.#authorityOf(context),
      },
      request: `revoke:${keyId}`,
    });
    if (sent.kind === 'refused') return notDone(sent.refusal);
    const key = keyOfEvents(await this.commands.load(keyStream(keyId)), this.meters());
    return payload(RevokeKeyPayload, { key, replayed: sent.replayed, position: sent.position });
  }

  /**
   * What the caller may hand out. A key with the scope ADMIN does what an owner does, and in the account of an
   * operator what the operator does: whoever is less makes none, and reads no new secret of one.
   */
  #authorityOf({ caller }: RequestContext): Authority | undefined {
    if (caller.kind === 'key') return caller.key;
    if (caller.kind !== 'session') return undefined;
    const { role, operator, accountId } = caller;
    const all = MANAGERS.includes(role) && (operator || !this.operators.own(accountId));
    return { scopes: all ? SCOPES : SCOPES.filter((scope) => scope !== 'admin') };
  }

  #shown({ secret, stored }: { readonly secret: string | null; readonly stored: StoredEvent }) {
    return {
      secret,
      replayed: secret === null,
      position: this.tokens.encode(stored.position),
    };
  }
}

/** Where limits stand, those of a key among them. */
type LimitStates = (key: KnownKey, usageTime: number) => Promise<readonly Parameters<typeof statusOf>[0][]>;

@Resolver(() => Key)
export class KeyFieldsResolver {
  constructor(
    private readonly known: (id: string) => KnownKey | undefined,
    private readonly states: LimitStates,
    private readonly meters: () => readonly Meter[],
  ) {}

  @Cost(2)
  @Sized({ assumedSize: MAX_KEY_LIMITS })
  @FieldResolver(() => [LimitStatus], {
    nullable: true,
    description:
      'Current state of the key’s own limits: what is used and what is left. Empty if it has none; the limits of the plan, which all keys share, are at `Account.limits`.',
  })
  async limitStatus(@Root() { id }: Key, @Ctx() { usageTime }: RequestContext): Promise<LimitStatus[]> {
    const key = this.known(id);
    if (!key?.limits.length) return [];
    const states = await this.states(key, usageTime);
    const meters = this.meters();
    return states.filter(({ limit }) => limit.source === 'key').map((state) => statusOf(state, meters));
  }

  @FieldResolver(() => DateTimeISO, {
    nullable: true,
    description: 'Time of the last counted call with the key, up to a minute late. Null if there was none.',
  })
  async lastUsedAt(@Root() { id }: Key, @Ctx() { loaders }: RequestContext): Promise<Date | null> {
    const at = await loaders.keyLastUsed.load(id);
    return at === undefined ? null : new Date(at);
  }
}

@Resolver(() => Account)
export class AccountKeysResolver {
  constructor(
    private readonly queries: KeyQueries,
    private readonly cursors: Cursors,
    private readonly meters: () => readonly Meter[],
  ) {}

  @Access(KEYS_ACCESS)
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => KeyConnection, {
    nullable: true,
    description: 'API keys of the account, oldest first, including revoked ones.',
  })
  async keys(@Root() account: Account, @Args(() => PageArgs) { first, after }: PageArgs): Promise<Page<Key>> {
    const place = this.cursors.after(LIST, after);
    const cursor = place && { issuedAt: new Date(Number(place[0])), id: place[1] as string };
    const rows = await this.queries.ofAccount(account.id, first, cursor);
    const placeOf = (row: KeyRow): Place => [row.issued_at.getTime(), row.id];
    return pageOf(this.cursors, LIST, rows, { first, after }, placeOf, (row) => keyOf(row, this.meters()));
  }
}

/** As events have them: whole numbers of the meter's smallest unit. Which may be set, the decider says. */
function limitsOf(given: readonly KeyLimitInput[], meters: readonly Meter[]): KeyLimit[] | InvalidInput {
  const limits: KeyLimit[] = [];
  for (const { meter: id, window, max } of given) {
    const meter = meters.find((one) => one.id === id);
    const amount = meter ? amountOf(max, meter, MAX_AMOUNT) : 0;
    if (amount === undefined) {
      const message = `A limit on ${id} may have at most ${meter?.decimals} decimals, and be at most ${MAX_AMOUNT} of its smallest unit.`;
      return new InvalidInput(message, 'limits');
    }
    limits.push({ meter: id, window, amount });
  }
  return limits;
}
