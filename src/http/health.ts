import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.js';

export interface Health {
  /** What keeps this process from serving, each in a sentence; empty when it is ready. */
  problems(): readonly string[];
  /** What an operator has to look at although it serves. */
  warnings(): readonly string[];
}

/** `/health` tells people, `/health/live` and `/health/ready` tell a balancer. */
export function serveHealth(fastify: FastifyInstance, health: Health, metrics: Metrics): void {
  fastify.get('/health/live', async () => ({ status: 'live' }));
  for (const path of ['/health', '/health/ready']) {
    fastify.get(path, async (_request, reply) => {
      const problems = health.problems();
      const ready = problems.length === 0;
      return reply
        .status(ready ? 200 : 503)
        .send({ status: ready ? 'ready' : 'not ready', problems, warnings: health.warnings() });
    });
  }
  fastify.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
