import type { FastifyInstance } from 'fastify';

/** Far less than a new key is published before it signs. */
const MAX_AGE_S = 300;

/** The public keys of session tokens as a JWK set (RFC 7517), for whoever checks them without asking us. */
export function serveSigningKeys(
  fastify: FastifyInstance,
  published: () => Promise<readonly object[]>,
): void {
  fastify.get('/.well-known/jwks.json', async (_request, reply) =>
    reply
      .type('application/json; charset=utf-8')
      .header('cache-control', `public, max-age=${MAX_AGE_S}`)
      .send({ keys: await published() }),
  );
}
