import { ErrorType, EventStoreDBClient, isCommandError } from '@eventstore/db-client';
import type { CallOptions, Metadata } from '@grpc/grpc-js';

/** What the client hides from all but its subclasses, which its `connectionString` cannot make. */
interface Hidden {
  getChannel(): Promise<{ close(): void }>;
  /** Opens a call on the connection that there is; when it fails, the next one gets another. */
  GRPCStreamCreator<C, S>(
    service: new (...args: never[]) => C,
    name: string,
    open: (service: C) => S,
  ): () => Promise<S>;
  /** Credentials of the connection string and the like. */
  callArguments(
    options: { readonly requiresLeader: boolean },
    call: { readonly deadline: number },
  ): [Metadata, CallOptions];
}

/** The protocol beneath the client, for calls that it does not offer. */
export const protocolOf = (client: EventStoreDBClient): Pick<Hidden, 'GRPCStreamCreator' | 'callArguments'> =>
  client as unknown as Hidden;

/** No answer came within the time; an append may still be stored. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`the event store did not answer within ${ms} ms`);
    this.name = 'NoAnswer';
  }
}

/**
 * The connection to one EventStoreDB cluster. One that has gone silent, as behind a router that forgot
 * it, is given up for a new one: the client would wait for it up to 20 seconds.
 */
export class Connection {
  #client: EventStoreDBClient;
  #lastAnswer = performance.now();
  #left: Promise<void> = Promise.resolve();

  /** @throws Error when the url is no connection string */
  constructor(private readonly url: string) {
    this.#client = EventStoreDBClient.connectionString(url);
  }

  get client(): EventStoreDBClient {
    return this.#client;
  }

  /** Something came from the server. */
  answered(): void {
    this.#lastAnswer = performance.now();
  }

  /** A call on `client`, made at `since`, has failed: was it for want of any answer at all? */
  failed(client: EventStoreDBClient, since: number, error: unknown): void {
    const silent =
      error instanceof NoAnswer || (isCommandError(error as Error) && isDeadline(error as Error));
    if (!silent || client !== this.#client || this.#lastAnswer >= since) return;
    this.#client = EventStoreDBClient.connectionString(this.url);
    this.#lastAnswer = performance.now();
    const before = this.#left;
    this.#left = close(client).then(() => before);
  }

  async close(): Promise<void> {
    await Promise.all([this.#left, close(this.#client)]);
  }
}

const isDeadline = (error: Error & { type?: ErrorType }): boolean =>
  error.type === ErrorType.DEADLINE_EXCEEDED;

/** Ends reads and subscriptions, and closes the channel, which the client's own `dispose` leaves open. */
async function close(client: EventStoreDBClient): Promise<void> {
  // It waits for the end of streams that nobody reads any more, which does not come.
  client.dispose().catch(() => undefined);
  // Fails where a cluster could not be discovered: then there is none.
  const channel = await (client as unknown as Hidden).getChannel().catch(() => undefined);
  channel?.close();
}
