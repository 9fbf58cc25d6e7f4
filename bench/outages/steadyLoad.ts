import { Agent, request } from 'node:http';
import type { Answer, Key } from '../nodes.js';

export interface Rates {
  readonly callsPerSecond: number;
  readonly commandsPerSecond: number;
}

type Kind = 'calls' | 'commands';

interface Count {
  sent: number;
  answered: number;
  /** From the moment that the schedule names to the answer; of those that were answered. */
  readonly ms: number[];
}

export interface LoadReport extends Readonly<Record<Kind, Readonly<Count>>> {
  /** What came instead of an answer, and how often. */
  readonly refused: ReadonlyMap<string, number>;
}

const CALL = JSON.stringify({ query: '{ patterns(first: 1) { nodes { name } } }' });
const COMMAND = JSON.stringify({ query: 'mutation { issueKey(input: { name: "more" }) { __typename } }' });

const TICK_MS = 5;
const CONNECTIONS = 256;

/** Sends calls with the keys and commands with their sessions by a schedule that doesn't wait for answers. */
export class SteadyLoad {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  readonly #waiting: Record<Kind, ((at: number) => void)[]> = { calls: [], commands: [] };
  #counts: Record<Kind, Count> = { calls: count(), commands: count() };
  #refused = new Map<string, number>();
  #inFlight = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly url: string,
    private readonly keys: readonly Key[],
    private readonly rates: Rates,
  ) {}

  begin(): void {
    this.#counts = { calls: count(), commands: count() };
    this.#refused = new Map();
    const began = performance.now();
    this.#timer = setInterval(() => {
      const seconds = (performance.now() - began) / 1000;
      this.#sendDue('calls', began, seconds, this.rates.callsPerSecond);
      this.#sendDue('commands', began, seconds, this.rates.commandsPerSecond);
    }, TICK_MS);
  }

  /** Stops sending and waits for what is in flight. */
  async end(): Promise<LoadReport> {
    clearInterval(this.#timer);
    await Promise.all(this.#inFlight);
    return { ...this.#counts, refused: this.#refused };
  }

  /** When the next one was answered, whenever it was sent. */
  nextAnswer(kind: Kind): Promise<number> {
    return new Promise((resolve) => this.#waiting[kind].push(resolve));
  }

  #sendDue(kind: Kind, began: number, seconds: number, perSecond: number): void {
    const counts = this.#counts[kind];
    while (counts.sent < Math.floor(seconds * perSecond)) {
      const { secret, token } = this.keys[counts.sent % this.keys.length] as Key;
      const due = began + (counts.sent++ * 1000) / perSecond;
      const sending = this.#post(kind === 'calls' ? CALL : COMMAND, kind === 'calls' ? secret : token)
        .then((answer) => this.#note(kind, answer, due))
        .finally(() => this.#inFlight.delete(sending));
      this.#inFlight.add(sending);
    }
  }

  #note(kind: Kind, { status, text }: Answer, due: number): void {
    if (status !== 200 || text.includes('"errors"')) {
      const what = `${kind} ${status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? text.slice(0, 60)}`;
      this.#refused.set(what, (this.#refused.get(what) ?? 0) + 1);
      return;
    }
    const now = performance.now();
    this.#counts[kind].answered++;
    this.#counts[kind].ms.push(now - due);
    for (const resolve of this.#waiting[kind].splice(0)) resolve(now);
  }

  #post(body: string, token: string): Promise<Answer> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    return new Promise((resolve) => {
      const sent = request(
        `${this.url}/graphql`,
        { method: 'POST', agent: this.#agent, headers },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('close', () =>
            resolve({ status: response.complete ? (response.statusCode ?? 0) : 0, text }),
          );
        },
      );
      sent.on('error', ({ message }) => resolve({ status: 0, text: message }));
      sent.end(body);
    });
  }
}

const count = (): Count => ({ sent: 0, answered: 0, ms: [] });
