import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Follows, Metrics } from '../metrics.js';

export interface Health {
  /** What keeps this process from serving, each in a sentence; empty when it is ready. */
  problems(): readonly string[];
  /** What an operator has to look at although it serves. */
  warnings(): readonly string[];
  /** Read models and policies, and how far behind they are. */
  followers(): Promise<readonly Follows[]>;
}

/** Whoever looks after the process asks it past the proxy. */
const PROBED = { config: { plainHttp: true } };

/** `/health` tells people, `/health/live` and `/health/ready` tell a balancer. */
export function serveHealth(
  fastify: FastifyInstance,
  health: Health,
  metrics: Metrics,
  /** Where people read it: a profile may have a `/health` of its own (decision 38). */
  paths: readonly string[] = ['/health', '/v1/health'],
): void {
  const state = () => {
    const problems = health.problems();
    const status = problems.length === 0 ? 'ready' : 'not ready';
    return { status, problems, warnings: health.warnings() };
  };
  const code = ({ problems }: ReturnType<typeof state>): number => (problems.length === 0 ? 200 : 503);

  fastify.get('/health/live', PROBED, async () => ({ status: 'live' }));
  fastify.get('/health/ready', PROBED, async (_request, reply) => {
    const now = state();
    return reply.status(code(now)).send(now);
  });
  const forPeople = async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const now = state();
    const lag = (of: Follows['kind'], all: readonly Follows[]): object =>
      Object.fromEntries(all.filter(({ kind }) => kind === of).map(({ name, lag }) => [name, lag]));
    // Null while the event store does not answer: nobody knows.
    const followers = await health.followers().catch(() => undefined);
    return reply.status(code(now)).send({
      ...now,
      lag: followers
        ? { readModels: lag('read_model', followers), policies: lag('policy', followers) }
        : null,
    });
  };
  for (const path of paths) fastify.get(path, PROBED, forPeople);
  fastify.get('/metrics', PROBED, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
