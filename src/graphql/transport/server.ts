import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, preHandlerHookHandler, RouteHandlerMethod } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';

import type { AnalysisChanges } from '../../analysis/changes.js';
import type { RequestIds } from '../../usage/requestId.js';
import type { UsageChanges } from '../../usage/analytics/usageChanges.js';
import { isPreflighted } from '../../gate/authenticate.js';
import type { Visitor } from '../../gate/gate.js';
import { Connections } from './openConnections.js';
import type { RequestContext } from '../kit/context.js';
import { Context } from '../kit/context.js';
import { ApiError } from '../kit/errors.js';
import { eventStreamHandler, wantsEvents } from './eventStream.js';
import type { GovernanceOptions } from './governance.js';
import { publicError } from '../execution/execution.js';
import { Governance } from './governance.js';
import { governancePlugin } from './governancePlugin.js';
import { answerKnown, KnownOperations } from './knownOperations.js';
import { MAX_TOKENS, queryLimits } from '../execution/queryLimits.js';
import type { Loaders } from '../kit/loaders.js';
import type { CreateContext } from './operations.js';
import { dropEmptyName, Operations } from './operations.js';
import { literalTexts } from '../execution/texts.js';
import type { TrustedDocuments } from './trustedDocuments.js';
import { insertDocument } from './trustedDocuments.js';
import { acceptWebSockets, webSocketHandler } from './websocket.js';

export interface GraphQLServerOptions extends GovernanceOptions {
  readonly schema: GraphQLSchema;
  readonly loaders: () => Loaders;
  readonly requestIds: RequestIds;
  readonly usageChanges: UsageChanges;
  readonly analysisChanges: AnalysisChanges;
  /** Calls back when a key, a session or a membership of an account may have ended. */
  readonly onRevoked: (listener: (accountId: string) => void) => void;
  readonly documents: TrustedDocuments;
}

/** Answers operations that come another way. */
export interface Calls {
  readonly governance: Governance;
  readonly createContext: CreateContext;
}

/** Serves GraphQL at `/graphql`: over HTTP, over WebSockets, and as server-sent events. */
export async function serveGraphQL(fastify: FastifyInstance, options: GraphQLServerOptions): Promise<Calls> {
  const {
    schema,
    gate,
    loaders,
    requestIds,
    usageChanges,
    analysisChanges,
    onRevoked,
    documents,
    production,
    log,
  } = options;
  await acceptWebSockets(fastify, requestIds, log);
  const governance = new Governance(options);
  const known = new KnownOperations();
  const apollo = new ApolloServer<RequestContext>({
    schema,
    plugins: [
      governancePlugin(governance, known),
      // Costs a quarter of the throughput, and answers depend on the caller anyway.
      ApolloServerPluginCacheControlDisabled(),
      fastifyApolloDrainPlugin(fastify),
    ],
    introspection: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: production,
    parseOptions: { maxTokens: MAX_TOKENS },
    validationRules: [queryLimits, literalTexts],
    formatError: (formatted, error) => {
      // Apollo gives every failed validation the same code; a limit of ours has a code of its own.
      const original = error instanceof GraphQLError ? error.originalError : undefined;
      if (original instanceof ApiError) {
        return { ...formatted, extensions: { ...formatted.extensions, ...original.extensions } };
      }
      // Apollo's own refusals carry a code; whatever has none must not show its inside.
      return formatted.extensions?.['code'] === 'INTERNAL_SERVER_ERROR'
        ? publicError(log, error as never)
        : formatted;
    },
    logger: {
      debug: () => {},
      info: () => {},
      warn: (message: string) => log.warn(message),
      error: (message: string) => log.error('Apollo reports an error', message),
    },
  });
  await apollo.start();

  const createContext: CreateContext = (sender, subscriber) => {
    const { credentials, address, requestId = requestIds(undefined) } = sender;
    const contextOf = ({ caller, now, usageTime }: Visitor): RequestContext =>
      new Context(
        caller,
        address,
        now,
        usageTime,
        requestId,
        usageChanges,
        analysisChanges,
        subscriber,
        loaders,
      );
    const visitor = gate.admit(credentials, address);
    return visitor instanceof Promise ? visitor.then(contextOf) : contextOf(visitor);
  };
  const answer = fastifyApolloHandler(apollo, {
    context: async ({ headers, clientAddress: address, requestId }) =>
      createContext({ credentials: headers, address, requestId }),
  }) as RouteHandlerMethod;
  const answerPost = answerKnown(known, governance, createContext, answer);
  const connections = new Connections();
  const streaming = {
    operations: new Operations(apollo, createContext),
    authenticate: gate.authenticate,
    connections,
  };
  const answerEvents = eventStreamHandler(streaming);
  const preHandler: preHandlerHookHandler = (request, reply, next) => {
    try {
      insertDocument(documents, request);
      dropEmptyName(request.body);
      next();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      void reply.status(error.status).send({ errors: [error] });
    }
  };
  fastify.route({
    method: 'GET',
    url: '/graphql',
    preHandler: ({ headers, raw }, _reply, next) => {
      if (isPreflighted(headers)) headers['apollo-require-preflight'] = 'true';
      // Empty, it counts as absent.
      raw.url = raw.url?.replace(/([?&])operationName=(?=&|$)/, '$1');
      next();
    },
    handler: answer,
    wsHandler: webSocketHandler({ ...streaming, schema, log }),
  });
  fastify.route({
    method: ['POST', 'OPTIONS'],
    url: '/graphql',
    preHandler,
    handler(request, reply) {
      return wantsEvents(request) ? answerEvents(request, reply) : answerPost.call(this, request, reply);
    },
  });
  onRevoked((accountId) => connections.checkAccount(accountId));
  fastify.addHook('preClose', (done) => {
    connections.endAll();
    done();
  });
  return { governance, createContext };
}
