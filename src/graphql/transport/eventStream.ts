import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FormattedExecutionResult, GraphQLError } from 'graphql';
import type { Authenticate } from '../../gate/authenticate.js';
import type { Connection, Connections } from './openConnections.js';
import { accountIdsOf } from './openConnections.js';
import type { ErrorCode } from '../kit/errors.js';
import { ApiError, statusOf } from '../kit/errors.js';
import type { OperationRequest, Operations, Outcome, Sender } from './operations.js';
import type { SubscriptionRefused } from '../kit/subscriptions.js';
import { KEEP_ALIVE_MS } from './websocket.js';

export interface EventStreamOptions {
  readonly operations: Operations;
  readonly authenticate: Authenticate;
  readonly connections: Connections;
}

export const EVENT_STREAM = 'text/event-stream; charset=utf-8';

/** Whether the client wants events and no JSON: one that takes either gets JSON, as for any query. */
export function wantsEvents({ headers: { accept = '' } }: FastifyRequest): boolean {
  return accept.includes('text/event-stream') && !accept.includes('json');
}

/**
 * Speaks GraphQL over SSE (graphql-sse's protocol, "distinct connections mode"): each operation is a POST
 * that is answered by `next` events and `complete`. What is refused before that is an ordinary answer.
 */
export function eventStreamHandler(
  options: EventStreamOptions,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  const { operations, authenticate, connections } = options;
  return async (request, reply) => {
    const { body, headers: credentials, clientAddress: address, requestId } = request;
    if (!isOperation(body)) return refuse(reply, 'BODY_INVALID');
    const graphqlCost = credentials['graphql-cost']?.toString();
    const sender: Sender = { credentials, address, requestId };
    const caller = await authenticate(credentials);
    const stream = new EventStream();
    const connection: Connection | undefined =
      'accountId' in caller
        ? {
            accountIds: accountIdsOf(caller),
            authenticate: () => authenticate(credentials),
            end: (code) => stream.end(code),
          }
        : undefined;
    if (connection) {
      if (!connections.open(connection)) return refuse(reply, 'TOO_MANY_CONNECTIONS');
      stream.once('close', () => connections.closed(connection));
    }
    try {
      const outcome = await operations.run(body, sender, { graphqlCost });
      for (const [name, value] of outcome.headers) reply.header(name, value);
      if (outcome.kind === 'answer' && outcome.result.data === undefined) {
        stream.destroy();
        return await reply.status(outcome.status).send(outcome.result);
      }
      stream.begin(outcome, () => connection && void connections.check(connection));
    } catch (error) {
      stream.destroy();
      throw error;
    }
    // A proxy that gathers the answer would hold the events back.
    return reply
      .headers({
        'content-type': EVENT_STREAM,
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      })
      .send(stream);
  };
}

function refuse(reply: FastifyReply, code: ErrorCode): FastifyReply {
  return reply.status(statusOf(code)).send({ errors: [new ApiError(code)] });
}

function isOperation(body: unknown): body is OperationRequest {
  if (typeof body !== 'object' || body === null) return false;
  const { query, operationName, variables } = body as Record<string, unknown>;
  return (
    typeof query === 'string' &&
    (operationName == null || typeof operationName === 'string') &&
    (variables == null || (typeof variables === 'object' && !Array.isArray(variables)))
  );
}

/** The body of an answer: events are made when the connection takes them, so that none waits in a queue. */
class EventStream extends Readable {
  #events: AsyncIterableIterator<FormattedExecutionResult> | undefined;
  #keepAlive: NodeJS.Timeout | undefined;
  #making = false;
  #ended = false;

  constructor() {
    super({ highWaterMark: 1 });
  }

  /** @param onKeepAlive is called whenever it tells that it still lives */
  begin(outcome: Outcome, onKeepAlive: () => void): void {
    this.#events = outcome.kind === 'events' ? outcome.events : only(outcome.result);
    // The server may have stopped meanwhile.
    if (this.#ended) return this.#release();
    this.#keepAlive = setInterval(() => {
      // A comment; for a client that does not read there waits one and no more.
      if (this.readableLength === 0) this.push(':\n\n');
      onKeepAlive();
    }, KEEP_ALIVE_MS).unref();
  }

  /** Ends it, with the reason; without one the client is to come again. */
  end(code?: ErrorCode): void {
    if (this.#ended) return;
    if (code !== undefined) this.#refused(new ApiError(code));
    this.#finish();
  }

  override _read(): void {
    void this.#make();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#ended = true;
    this.#release();
    callback(error);
  }

  async #make(): Promise<void> {
    if (!this.#events || this.#making || this.#ended) return;
    this.#making = true;
    try {
      const event = await this.#events.next();
      this.#making = false;
      if (this.#ended) return;
      if (event.done !== true) return void this.push(eventText('next', event.value));
      this.push(COMPLETE);
      this.#finish();
    } catch (error) {
      if (this.#ended) return;
      this.#refused(error as SubscriptionRefused);
      this.#finish();
    }
  }

  #refused(error: GraphQLError): void {
    this.push(eventText('next', { errors: [error] }));
    this.push(COMPLETE);
  }

  #finish(): void {
    this.#ended = true;
    this.push(null);
    this.#release();
  }

  #release(): void {
    clearInterval(this.#keepAlive);
    void this.#events?.return?.();
  }
}

const eventText = (event: string, data: object): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

const COMPLETE = 'event: complete\ndata:\n\n';

/** A query or mutation: one event. */
async function* only(result: FormattedExecutionResult): AsyncGenerator<FormattedExecutionResult, undefined> {
  yield await Promise.resolve(result);
  return undefined;
}
