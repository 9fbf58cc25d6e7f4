// The least that an answer can cost: a route of Fastify that parses its body and answers.
import Fastify from 'fastify';

const fastify = Fastify();
fastify.post('/v1/keys/verify', (_request, reply) => reply.send({ valid: true }));
process.send?.({
  url: await fastify.listen({ port: 0, host: '127.0.0.1' }),
  backEnd: 'none',
  secret: 'none',
  keyId: 'none',
});
process.on('message', () => process.exit(0));
