import { randomUUID } from 'node:crypto';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import fastifyApollo, { fastifyApolloDrainPlugin } from '@as-integrations/fastify';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Access } from './authenticate.js';
import { authenticate } from './authenticate.js';
import type { RequestContext } from './context.js';
import { ApiError } from './errors.js';
import type { GovernanceOptions } from './governance.js';
import { governance, publicError } from './governance.js';
import { MAX_TOKENS, queryLimits } from './limits.js';
import type { Loaders } from './loaders.js';

export interface GraphQLServerOptions extends GovernanceOptions {
  readonly schema: GraphQLSchema;
  readonly access: Access;
  readonly clock: Clock;
  readonly loaders: () => Loaders;
  readonly production: boolean;
  readonly log: Logger;
}

/** Serves GraphQL at `/graphql`. */
export async function serveGraphQL(fastify: FastifyInstance, options: GraphQLServerOptions): Promise<void> {
  const { schema, access, clock, loaders, production, log } = options;
  const apollo = new ApolloServer<RequestContext>({
    schema,
    plugins: [
      governance(options),
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
    validationRules: [queryLimits],
    formatError: (formatted, error) => {
      // Apollo gives every failed validation the same code; a limit of ours has a code of its own.
      const original = error instanceof GraphQLError ? error.originalError : undefined;
      if (original instanceof ApiError) {
        return { ...formatted, extensions: { ...formatted.extensions, code: original.code } };
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
  await fastify.register(fastifyApollo(apollo), {
    context: async (request): Promise<RequestContext> => {
      const now = clock();
      const started = performance.now();
      let made: Loaders | undefined;
      const caller = authenticate(request.headers, access, now);
      return {
        caller: caller instanceof Promise ? await caller : caller,
        address: request.ip,
        correlationId: randomUUID(),
        now,
        started,
        // Made when a field asks for one: most answers come from caches.
        get loaders() {
          return (made ??= loaders());
        },
        patternsRead: new Set(),
      };
    },
  });
}
