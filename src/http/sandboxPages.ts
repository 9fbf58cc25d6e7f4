import type { FastifyInstance } from 'fastify';

/** Of a form of the sandbox's pages, in bytes. */
const MAX_FORM_BYTES = 10_000;

const FORM = 'application/x-www-form-urlencoded';

/** Headers of the pages that mean something to browsers. */
const PASSED = ['content-type', 'content-security-policy', 'cache-control', 'location'];

/** `/sandbox/…`: the pages of the sandbox on loopback, for people's browsers. */
export async function serveSandboxPages(fastify: FastifyInstance, address: string): Promise<void> {
  await fastify.register(async (scope) => {
    scope.addContentTypeParser(
      FORM,
      { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
      (_request, body, done) => done(null, body),
    );
    scope.route({
      method: ['GET', 'POST'],
      url: '/sandbox/*',
      bodyLimit: MAX_FORM_BYTES,
      handler: async ({ method, url, body }, reply) => {
        const target = new URL(url, address);
        // Dots in a path lead elsewhere.
        if (!target.pathname.startsWith('/sandbox/')) return reply.callNotFound();
        const answer = await fetch(target, {
          method,
          redirect: 'manual',
          ...(method === 'POST' && {
            headers: { 'content-type': FORM },
            body: typeof body === 'string' ? body : '',
          }),
        });
        for (const name of PASSED) {
          const value = answer.headers.get(name);
          if (value !== null) void reply.header(name, value);
        }
        return reply.status(answer.status).send(Buffer.from(await answer.arrayBuffer()));
      },
    });
  });
}
