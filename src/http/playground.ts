import fastifyStatic from '@fastify/static';
import { getDistDirectory, renderAltair } from 'altair-static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { sdlOf } from '../graphql/execution/schema.js';
import type { Profile } from '../plans/profile.js';

/** What the playground shows first: something that the product has. */
function firstQuery({ keys, tiers }: Pick<Profile, 'keys' | 'tiers'>): string {
  const comment = `# First set your key: the topmost icon on the left opens the headers; X-API-Key takes ${keys.live}… or ${keys.test}…`;
  const query = tiers.length > 0 ? SEARCH : STANDING;
  return `${comment}\n${query}`;
}

const SEARCH = `query FirstSearch {
  searchPatterns(query: "a remote service keeps failing", first: 3) {
    edges {
      similarity
      node { name category description }
    }
  }
}
`;

const STANDING = `query WhereLimitsStand {
  account {
    plan { id }
    limits { name used remaining resetAt }
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
  profile: Pick<Profile, 'keys' | 'tiers'>,
  json?: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
): Promise<void> {
  const page = renderAltair({
    baseURL: '/playground/',
    endpointURL: '/graphql',
    initialQuery: firstQuery(profile),
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
