import fastifyStatic from '@fastify/static';
import { getDistDirectory, renderAltair } from 'altair-static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { sdlOf } from '../graphql/execution/schema.js';

const FIRST_QUERY = `# First set your key: the topmost icon on the left opens the headers; X-API-Key takes sk_test_…
query FirstSearch {
  searchPatterns(query: "a remote service keeps failing", first: 3) {
    edges {
      similarity
      node { name category description }
    }
  }
}
`;

/**
 * The playground at `/`, served from the install: it works offline. The schema stands at `/schema.graphql`.
 * @param json what the profile answers at `/` to who does not ask for HTML (decision 38)
 */
export async function servePlayground(
  fastify: FastifyInstance,
  schema: GraphQLSchema,
  json?: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
): Promise<void> {
  const page = renderAltair({
    baseURL: '/playground/',
    endpointURL: '/graphql',
    initialQuery: FIRST_QUERY,
    initialHeaders: { 'X-API-Key': '' },
    // Subscriptions as server-sent events: they take the same headers.
    initialSubscriptionRequestHandlerId: 'graphql-sse',
    subscriptionsEndpoint: '/graphql',
    // Neither offers nor accounts of somebody else's service.
    persistedSettings: { 'banners.disable': true, 'alert.disableUpdateNotification': true },
    disableAccount: true,
  });
  const sdl = sdlOf(schema);
  await fastify.register(fastifyStatic, {
    root: getDistDirectory(),
    prefix: '/playground/',
    index: false,
    acceptRanges: false,
    maxAge: '1h',
  });
  fastify.get('/', async (request, reply) => {
    reply.header('vary', 'accept');
    if (json && !(request.headers.accept ?? '').includes('text/html')) return json(request, reply);
    return reply.type('text/html; charset=utf-8').send(page);
  });
  fastify.get('/schema.graphql', async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(`${sdl}\n`),
  );
}
