import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import { serveHealth } from '../http/health.js';
import { createHttpServer } from '../http/server.js';
import type { Logger } from '../logger.js';
import { Metrics } from '../metrics.js';
import { describeProjections } from './metrics.js';
import type { RunningProjections } from './projections.js';
import type { Stores } from './stores.js';

/**
 * The HTTP server of a process without GraphQL: health and metrics, not yet listening.
 * @param caughtUp whether the start is over
 */
export async function createProjectorServer(
  projections: RunningProjections,
  stores: Stores,
  caughtUp: () => boolean,
  config: Config,
  log: Logger,
): Promise<FastifyInstance> {
  const fastify = await createHttpServer({
    trustProxy: config.trustProxy,
    corsOrigins: config.corsOrigins,
    log,
  });
  const metrics = new Metrics();
  describeProjections(metrics, projections, stores);
  const problems = (): string[] => [
    ...(caughtUp() ? [] : ['the read models are catching up']),
    ...projections.models.failures().map(({ model }) => `the read model ${model} does not get on`),
  ];
  serveHealth(fastify, { problems, warnings: projections.warnings }, metrics);
  return fastify;
}
