import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClientType } from '@redis/client';
import { createClient, ErrorReply } from '@redis/client';
import type { Logger } from '../../logger.js';
import { LimitsUnavailable } from '../../usage/limits/limiter.js';

const CONNECT_MS = 3_000;
/** A script that has no answer then: the connection is given up, since its answers come in order. */
const ANSWER_MS = 3_000;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1_000;

type Client = RedisClientType;
/** What a script returns: whole numbers and texts. */
export type Reply = readonly (string | number)[];

/** A connection, and the process that it leads to. */
interface Line {
  readonly client: Client;
  /** Changes with every start of the server and every failover. */
  readonly runId: string;
}

/**
 * One script on one Redis. The connection is made anew whenever it breaks or falls silent; meanwhile every
 * call fails at once, and none is ever sent a second time.
 */
export class RedisScript {
  readonly #sha: string;
  readonly #closing = new AbortController();
  #line: Line | undefined;
  /** Ends the wait of the loop below when the line breaks. */
  #broken: () => void = () => {};
  readonly #running: Promise<void>;
  #tried!: () => void;
  /** Resolves once the first try to connect is over, however it ended. */
  readonly tried = new Promise<void>((resolve) => (this.#tried = resolve));

  constructor(
    private readonly url: string,
    private readonly script: string,
    private readonly log: Logger,
  ) {
    this.#sha = createHash('sha1').update(script).digest('hex');
    this.#running = this.#run();
  }

  /** Whether there is a connection. */
  get up(): boolean {
    return this.#line !== undefined;
  }

  /**
   * @param keys given the run id of the process that will see them
   * @throws LimitsUnavailable: whether the script ran is unknown
   */
  async run(keys: (runId: string) => readonly string[], args: readonly string[]): Promise<Reply> {
    const line = this.#line;
    if (!line) throw new LimitsUnavailable('Redis is away');
    const named = keys(line.runId);
    const rest = [String(named.length), ...named, ...args];
    try {
      return await bounded(this.#send(line.client, rest), ANSWER_MS);
    } catch (error) {
      if (error instanceof ErrorReply && isBug(error)) throw error;
      this.#giveUp(line);
      throw error instanceof LimitsUnavailable
        ? error
        : new LimitsUnavailable('Redis does not answer', { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#broken();
    await this.#running;
  }

  async #send(client: Client, rest: readonly string[]): Promise<Reply> {
    try {
      return await client.sendCommand<Reply>(['EVALSHA', this.#sha, ...rest]);
    } catch (error) {
      // A restart or SCRIPT FLUSH has forgotten it; it did not run.
      if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.sendCommand<Reply>(['EVAL', this.script, ...rest]);
    }
  }

  #giveUp(line: Line): void {
    if (this.#line !== line) return;
    this.#line = undefined;
    this.#broken();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let wait = RETRY_MS_MIN;
    let told = false;
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('closed')));
    });
    aborted.catch(() => undefined);
    while (!signal.aborted) {
      const broken = new Promise<void>((resolve) => (this.#broken = resolve));
      const client: Client = createClient({
        url: this.url,
        disableOfflineQueue: true,
        // An answer that does not come is waited for below: a timer and a signal for each command cost as much as it.
        commandOptions: { timeout: 0 },
        socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false },
      });
      client.on('error', () => this.#broken());
      client.on('end', () => this.#broken());
      try {
        const runId = await bounded(Promise.race([connected(client), aborted]), CONNECT_MS);
        const line = { client, runId };
        this.#line = line;
        if (told) this.log.info('Redis is available again');
        told = false;
        wait = RETRY_MS_MIN;
        this.#tried();
        await broken;
        this.#giveUp(line);
        if (!signal.aborted) this.log.error('the connection to Redis broke', undefined);
        told = true;
      } catch (error) {
        this.#tried();
        if (!told && !signal.aborted) this.log.error('Redis cannot be reached', error);
        told = true;
      } finally {
        if (client.isOpen) client.destroy();
      }
      await delay(wait, undefined, { signal }).catch(() => undefined);
      wait = Math.min(wait * 2, RETRY_MS_MAX);
    }
  }
}

/**
 * A script that fails is a bug; all else is about the server and its state. Until 7.0 a server tells that too
 * as a failure of the script: `ERR Error running script (call to …): …: -OOM command not allowed …`.
 */
function isBug({ message }: ErrorReply): boolean {
  return message.startsWith('ERR') && !/: -(?!ERR)[A-Z]+ /.test(message);
}

/** @returns the run id of the server */
async function connected(client: Client): Promise<string> {
  await client.connect();
  const runId = /^run_id:(\w+)/m.exec(await client.sendCommand<string>(['INFO', 'server']))?.[1];
  if (runId === undefined) throw new Error('Redis has no run id');
  return runId;
}

/** @throws LimitsUnavailable when it takes longer */
async function bounded<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const give = (): void => reject(new LimitsUnavailable(`no answer from Redis within ${ms} ms`));
    // A process that was held up looks at its sockets first: the answer may be there.
    timer = setTimeout(() => setImmediate(give), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
