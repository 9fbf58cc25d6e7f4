import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import fastifyWebsocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ExecutionArgs, FormattedExecutionResult, GraphQLFormattedError, GraphQLSchema } from 'graphql';
import { GraphQLError, parse } from 'graphql';
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Logger } from '../../logger.js';
import type { Authenticate, Credentials } from '../../gate/authenticate.js';
import type { Connection, Connections } from './openConnections.js';
import { accountIdsOf } from './openConnections.js';
import type { ErrorCode } from '../kit/errors.js';
import { ApiError } from '../kit/errors.js';
import type { RequestIds } from '../../usage/requestId.js';
import type { Operations, Outcome, Sender } from './operations.js';
import type { SubscriptionEvents } from '../kit/subscriptions.js';

/** Of one connection at once: a page of dashboards, and what one socket can keep busy. */
export const MAX_OPERATIONS = 10;
/** Of a message, in bytes. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** What may wait for a client that does not read, in bytes, before whatever else it asks for ends it. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** From the handshake to the first message, which says who it is. */
const INIT_TIMEOUT_MS = 3_000;
/** From one ping to the next. Half of what proxies commonly grant an idle connection, or less. */
export const KEEP_ALIVE_MS = 12_000;
/** How long a client may take to answer our close. */
const CLOSE_TIMEOUT_MS = 2_000;
/** RFC 6455, section 7.4.1: the server is going down. */
const GOING_AWAY = 1001;

export interface WebSocketOptions {
  readonly schema: GraphQLSchema;
  readonly operations: Operations;
  readonly authenticate: Authenticate;
  readonly connections: Connections;
  readonly log: Logger;
}

interface Extra {
  readonly socket: WebSocket;
  readonly request: FastifyRequest;
  sender: Sender | undefined;
  connection: Connection | undefined;
}

/** An operation that is run already: all graphql-ws has to do is to deliver it. */
type Running = FormattedExecutionResult | SubscriptionEvents;

/** graphql-ws looks into a document to choose between executing and subscribing. Here both are one. */
const ANY_DOCUMENT = parse('{ __typename }');

/** Registers WebSockets; must come before all routes. */
export async function acceptWebSockets(
  fastify: FastifyInstance,
  requestIds: RequestIds,
  log: Logger,
): Promise<void> {
  const upgrades = new EventEmitter();
  fastify.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { method, headers } = request;
    if (method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket') {
      upgrades.emit('upgrade', request, socket, head);
    } else giveBack(fastify.server, request, socket, head);
  });
  await fastify.register(fastifyWebsocket, {
    options: {
      server: upgrades,
      handleProtocols,
      maxPayload: MAX_MESSAGE_BYTES,
      closeTimeout: CLOSE_TIMEOUT_MS,
    } as object,
    // What a client does wrong: `ws` closes the socket itself, with the code that says so.
    errorHandler: (error) => log.warn('a WebSocket failed', { error: error.message }),
    preClose(done) {
      for (const client of this.websocketServer.clients) client.close(GOING_AWAY, 'Going away');
      // A handshake that comes now is refused with 503.
      this.websocketServer.close();
      done();
    },
  });
  // The answer to the handshake; what is answered then names itself.
  fastify.websocketServer.on('headers', (headers: string[], request: IncomingMessage) => {
    headers.push(`X-Request-Id: ${requestIds(request.headers['x-request-id']).text}`);
  });
}

/**
 * Once somebody listens for upgrades, Node hands over every request that asks for one, such as those of
 * Java's client, which offers HTTP/2 (`Upgrade: h2c`) each time. They go back to the server to be answered
 * as if they had not asked (RFC 9110, section 7.8).
 */
function giveBack(
  server: Server,
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

/**
 * Speaks graphql-transport-ws. The key or session comes in the payload of `connection_init`, under the
 * names of the HTTP headers, or where a client can set them in those of the handshake. There are no
 * cookies: a page of somebody else's that opens a connection has nothing to show, so that origins need no
 * check.
 */
export function webSocketHandler(
  options: WebSocketOptions,
): (socket: WebSocket, request: FastifyRequest) => void {
  const { schema, operations, connections, log } = options;
  const server = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    onConnect: async ({ connectionParams = {}, extra }) => {
      const refused = await admit(extra, connectionParams, options);
      if (refused === undefined) return true;
      const fatal = refused !== 'TOO_MANY_CONNECTIONS' && refused !== 'TRY_AGAIN';
      extra.socket.close(fatal ? CloseCode.Unauthorized : CloseCode.Forbidden, refused);
      return false;
    },
    onSubscribe: async ({ extra, subscriptions }, _id, payload) => {
      if (!extra.sender) throw new Error('an operation before the connection was acknowledged');
      if (Object.keys(subscriptions).length > MAX_OPERATIONS) return [new ApiError('TOO_MANY_OPERATIONS')];
      const running = runningOf(await operations.run(payload, extra.sender));
      if (Array.isArray(running)) return running;
      return { schema, document: ANY_DOCUMENT, rootValue: running } satisfies ExecutionArgs;
    },
    execute: ({ rootValue }) => rootValue as Running as never,
    // Errors are formatted already.
    onNext: (_context, _id, _payload, _args, result) => result,
  });

  return (socket, request) => {
    const extra: Extra = { socket, request, sender: undefined, connection: undefined };
    let answered = true;
    const keepAlive = setInterval(() => {
      if (!answered) return socket.terminate();
      answered = false;
      socket.ping();
      // Also the moment at which a key or a session that has expired is noticed.
      if (extra.connection) void connections.check(extra.connection);
    }, KEEP_ALIVE_MS).unref();
    socket.on('pong', () => (answered = true));
    const closed = server.opened(
      {
        protocol: socket.protocol,
        // Resolves when it has left: whoever reads slowly holds back what makes the next one. And never in
        // the same turn: a source that always has more would not let this process hear of anything else.
        send: (text) =>
          new Promise((resolve) => {
            const sent = (): void => void setImmediate(resolve);
            if (socket.readyState === socket.OPEN) socket.send(text, sent);
            else sent();
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) =>
          socket.on('message', (data) => {
            if (socket.bufferedAmount > MAX_WAITING_BYTES) return socket.terminate();
            handle((data as Buffer).toString()).catch((error: unknown) => {
              log.warn('a message of a WebSocket failed', { error: String(error) });
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          }),
      },
      extra,
    );
    socket.once('close', (code, reason) => {
      clearInterval(keepAlive);
      void closed(code, String(reason));
    });
  };
}

/** @returns why the connection cannot be, if it cannot */
async function admit(
  extra: Extra,
  params: Record<string, unknown>,
  { authenticate, connections }: WebSocketOptions,
): Promise<ErrorCode | undefined> {
  const { socket, request } = extra;
  const credentials = { ...request.headers, ...credentialsOf(params) };
  const caller = await authenticate(credentials);
  if (caller.kind === 'refused') return caller.code;
  if (caller.kind === 'anonymous') return 'KEY_MISSING';
  const connection: Connection = {
    accountIds: accountIdsOf(caller),
    authenticate: () => authenticate(credentials),
    end: (code) =>
      code === undefined
        ? socket.close(GOING_AWAY, 'Going away')
        : socket.close(CloseCode.Unauthorized, code),
  };
  // It may have gone while it was looked at.
  if (socket.readyState !== socket.OPEN) return undefined;
  if (!connections.open(connection)) return 'TOO_MANY_CONNECTIONS';
  socket.once('close', () => connections.closed(connection));
  extra.sender = { credentials, address: request.clientAddress };
  extra.connection = connection;
  return undefined;
}

/** Headers in the payload of `connection_init`, in whatever case. */
function credentialsOf(params: Record<string, unknown>): Credentials {
  const named = (header: string): string | undefined => {
    const value = Object.entries(params).find(([name]) => name.toLowerCase() === header)?.[1] ?? undefined;
    // What is no text is no key.
    if (value !== undefined && typeof value !== 'string') return '';
    // Blanks around it are none of its own, as in a header.
    return value?.replace(/^[ \t]+|[ \t]+$/g, '');
  };
  const [authorization, apiKey] = [named('authorization'), named('x-api-key')];
  const account = named('tollgraph-account');
  return {
    // Those of the handshake count only where the payload has none.
    ...((authorization ?? apiKey) !== undefined && { authorization, 'x-api-key': apiKey }),
    ...(account !== undefined && { 'tollgraph-account': account }),
  };
}

/** What was refused is an error of the protocol; what has data, also beside errors, is an answer. */
function runningOf(outcome: Outcome): Running | GraphQLError[] {
  if (outcome.kind === 'events') return outcome.events;
  const { result } = outcome;
  return result.data === undefined && result.errors
    ? result.errors.map((error) => new Formatted(error))
    : result;
}

/** An error that is shown as it has been formatted. */
class Formatted extends GraphQLError {
  constructor(private readonly formatted: GraphQLFormattedError) {
    super(formatted.message);
  }

  override toJSON(): GraphQLFormattedError {
    return this.formatted;
  }
}
