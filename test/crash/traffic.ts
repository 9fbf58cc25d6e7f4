import { setTimeout as delay } from 'node:timers/promises';
import { givenId } from '../../src/graphql/kit/ids.js';
import type { Payload, Reply } from '../process/product.js';
import { ask } from '../process/product.js';
import { pause } from '../support/until.js';

/** Numbers from 0 (inclusive) to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * What became of something that was sent. `unknown`: the connection broke, or the answer was to try again,
 * so that a command may or may not have happened. A call that is told to try again is `refused`: it must
 * not be billed.
 */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

export interface Registration {
  readonly email: string;
  readonly commandId: string;
  outcome: Outcome;
  userId?: string;
  accountId?: string;
  /** Absent when only a repetition was answered: a session is shown once. */
  token?: string;
  registeredAt: number;
  /** Keys asked for. An account may send 60 commands a minute, and each is sent again after a crash. */
  keys: number;
}

export interface IssuedKey {
  readonly owner: Registration;
  readonly commandId: string;
  outcome: Outcome;
  id?: string;
  secret?: string;
  revocation?: { readonly commandId: string; outcome: Outcome };
}

export interface GovernedCall {
  readonly operation: string;
  outcome: Outcome;
}

const REGISTER = `mutation NAME($input: RegisterUserInput!) { registerUser(input: $input) { __typename
  ... on RegisterUserPayload { session { sessionToken } user { id } account { id } } ... on Refusal { code } } }`;
const ISSUE = `mutation NAME($input: IssueKeyInput!) { issueKey(input: $input) { __typename
  ... on IssueKeyPayload { secret key { id } } ... on Refusal { code } } }`;
const REVOKE = `mutation NAME($input: RevokeKeyInput!) { revokeKey(input: $input) { __typename
  ... on Refusal { code } } }`;

const named = (document: string, name: string): string => document.replace('NAME', name);

/** Sessions last 15 minutes; a long run takes new accounts in time. */
const SESSION_USED_MS = 10 * 60_000;
const KEYS_EACH = 10;

/**
 * Everything that this process ever sent to the server, with what it was told: the memory that the
 * stored facts are held against.
 */
export class Traffic {
  readonly registrations: Registration[] = [];
  readonly keys: IssuedKey[] = [];
  readonly calls: GovernedCall[] = [];
  /** Every answer's status and codes, e.g. `503 TRY_AGAIN`, with how often it came. */
  readonly answers = new Map<string, number>();
  /** Answers that asked to try again and did not say when. */
  hasty = 0;
  /** What was sent and never answered. */
  broken = 0;
  slowestMs = 0;
  /** Keys that the load never revokes. */
  readonly kept = new Set<IssuedKey>();
  readonly #onAnswer = new Set<(answer: string) => void>();
  #sent = 0;
  #stopped = false;

  constructor(
    private readonly name: string,
    private readonly random: () => number,
    private readonly slugs: readonly string[],
    /** Governed calls that are under way at once. */
    private readonly callers = 8,
  ) {}

  /** Loads the server until `stop`, or until it breaks off. */
  async run(url: string): Promise<void> {
    this.#stopped = false;
    await Promise.all([
      this.#repeat(() => this.register(url, this.#newRegistration())),
      this.#repeat(() => this.#issueOne(url)),
      this.#repeat(() => this.#revokeOne(url)),
      ...Array.from({ length: this.callers }, () => this.#repeat(() => this.#callOne(url))),
    ]);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves at the next answer that begins like this, e.g. with `503`. */
  async next(beginning: string): Promise<void> {
    await new Promise<void>((resolve) => {
      const listener = (answer: string): void => {
        if (!answer.startsWith(beginning)) return;
        this.#onAnswer.delete(listener);
        resolve();
      };
      this.#onAnswer.add(listener);
    });
  }

  async #ask(...args: Parameters<typeof ask>): Promise<Reply | undefined> {
    const began = performance.now();
    const reply = await ask(...args);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
    if (!reply) {
      this.broken++;
      return undefined;
    }
    const answer = [reply.status, ...reply.codes].join(' ');
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
    if (reply.status === 503 && !reply.retryAfter) this.hasty++;
    for (const listener of this.#onAnswer) listener(answer);
    return reply;
  }

  /** Sends a registration, for the first time or again; its first outcome but `unknown` stands. */
  async register(url: string, registration: Registration, commandId = registration.commandId) {
    const { email } = registration;
    const input = { email, password: 'correct horse', commandId };
    const n = ++this.#sent;
    const reply = await this.#ask(url, named(REGISTER, commandId), {
      variables: { input },
      from: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
    });
    const payload = reply?.data?.['registerUser'];
    const outcome = outcomeOf(reply, payload, 'RegisterUserPayload');
    if (registration.outcome === 'unknown') registration.outcome = outcome;
    if (outcome === 'acknowledged' && payload) {
      registration.userId ??= payload.user && givenId('User', payload.user.id);
      registration.accountId ??= payload.account && givenId('Account', payload.account.id);
      registration.token = payload.session?.sessionToken ?? registration.token;
    }
    return { reply, payload };
  }

  /** Sends the issue of a key, for the first time or again. */
  async issue(url: string, key: IssuedKey) {
    const input = { name: 'crash', environment: 'LIVE', commandId: key.commandId };
    const reply = await this.#ask(url, named(ISSUE, key.commandId), {
      variables: { input },
      credential: key.owner.token,
    });
    const payload = reply?.data?.['issueKey'];
    const outcome = outcomeOf(reply, payload, 'IssueKeyPayload');
    if (key.outcome === 'unknown') key.outcome = outcome;
    if (outcome === 'acknowledged' && payload) {
      key.id ??= payload.key && givenId('Key', payload.key.id);
      if (payload.secret != null) key.secret = payload.secret;
    }
    return { reply, payload };
  }

  /** Sends the revocation of a key, for the first time or again. */
  async revoke(url: string, key: IssuedKey) {
    const revocation = (key.revocation ??= { commandId: this.#id('revoke'), outcome: 'unknown' });
    const input = { keyId: key.id, commandId: revocation.commandId };
    const reply = await this.#ask(url, named(REVOKE, revocation.commandId), {
      variables: { input },
      credential: key.owner.token,
    });
    const payload = reply?.data?.['revokeKey'];
    const outcome = outcomeOf(reply, payload, 'RevokeKeyPayload');
    if (revocation.outcome === 'unknown') revocation.outcome = outcome;
    return { reply, payload };
  }

  /** A governed call under an operation name of its own, by which its record is found again. */
  async call(url: string, secret: string): Promise<Reply | undefined> {
    const operation = this.#id('Op');
    const call: GovernedCall = { operation, outcome: 'unknown' };
    this.calls.push(call);
    const slug = this.slugs[Math.floor(this.random() * this.slugs.length)];
    const query =
      this.random() < 0.5
        ? `query ${operation} { pattern(by: { slug: "${slug}" }) { ... on Pattern { id name } } }`
        : `query ${operation} { patterns(first: 3) { nodes { id name } } }`;
    const reply = await this.#ask(url, query, { credential: secret });
    if (reply?.status === 200 && !reply.codes.length) call.outcome = 'acknowledged';
    // What failed inside is spent, and what took too long is billed.
    else if (reply && reply.status !== 500 && reply.status !== 504) call.outcome = 'refused';
    return reply;
  }

  async #repeat(once: () => Promise<{ reply: Reply | undefined } | 'nothing to do'>): Promise<void> {
    while (!this.#stopped) {
      const done = await once();
      if (done === 'nothing to do') await pause();
      else if (done.reply === undefined) return;
      // A client that does as it is told.
      else if (done.reply.retryAfter) await delay(done.reply.retryAfter * 1_000);
    }
  }

  /** A new user with a key that works, made again and again until the server manages to. */
  async newCaller(url: string): Promise<IssuedKey> {
    let owner = this.#newRegistration();
    while (owner.token === undefined) {
      const { payload } = await this.register(url, owner);
      // Registered by an attempt that was not answered: its session was shown to nobody.
      if (payload?.session === null) owner = this.#newRegistration();
    }
    for (;;) {
      owner.keys++;
      const key: IssuedKey = { owner, commandId: this.#id('issue'), outcome: 'unknown' };
      this.keys.push(key);
      this.kept.add(key);
      while (key.outcome === 'unknown') await this.issue(url, key);
      if (key.secret !== undefined) return key;
    }
  }

  #newRegistration(): Registration {
    const commandId = this.#id('register');
    const registration: Registration = {
      email: `${commandId}@example.com`,
      commandId,
      outcome: 'unknown',
      registeredAt: Date.now(),
      keys: 0,
    };
    this.registrations.push(registration);
    return registration;
  }

  async #issueOne(url: string): Promise<{ reply: Reply | undefined } | 'nothing to do'> {
    const since = Date.now() - SESSION_USED_MS;
    const owner = this.#pick(
      this.registrations.filter(
        ({ token, registeredAt, keys }) => token !== undefined && registeredAt > since && keys < KEYS_EACH,
      ),
    );
    if (!owner) return 'nothing to do';
    owner.keys++;
    const key: IssuedKey = { owner, commandId: this.#id('issue'), outcome: 'unknown' };
    this.keys.push(key);
    return this.issue(url, key);
  }

  async #revokeOne(url: string): Promise<{ reply: Reply | undefined } | 'nothing to do'> {
    const since = Date.now() - SESSION_USED_MS;
    const candidates = this.keys.filter(
      (key) =>
        key.secret !== undefined && !key.revocation && key.owner.registeredAt > since && !this.kept.has(key),
    );
    if (candidates.length < 3) return 'nothing to do';
    const key = this.#pick(candidates) as IssuedKey;
    const done = await this.revoke(url, key);
    if (key.revocation?.outcome !== 'acknowledged') return done;
    const refused = await this.call(url, key.secret as string);
    if (refused && refused.codes[0] !== 'KEY_REVOKED') {
      throw new Error(`a revoked key was answered ${refused.status} ${refused.codes.join()}`);
    }
    return { reply: refused };
  }

  async #callOne(url: string): Promise<{ reply: Reply | undefined } | 'nothing to do'> {
    const key = this.#pick(this.keys.filter(({ secret, revocation }) => secret !== undefined && !revocation));
    if (!key) return 'nothing to do';
    return { reply: await this.call(url, key.secret as string) };
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  /** Fit for a command id, an e-mail and an operation's name alike. */
  #id(kind: string): string {
    return `${kind}_${this.name}_${++this.#sent}`;
  }
}

function outcomeOf(reply: Reply | undefined, payload: Payload | null | undefined, success: string): Outcome {
  if (!reply || reply.status >= 500) return 'unknown';
  return payload?.__typename === success ? 'acknowledged' : 'refused';
}
