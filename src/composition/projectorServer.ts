import type { Config } from '../config.js';
import { GracefulStop } from '../http/gracefulStop.js';
import { serveHealth } from '../http/health.js';
import { createHttpServer } from '../http/server.js';
import type { Logger } from '../logger.js';
import type { Api } from './api.js';
import type { RunningProjections } from './projections.js';
import type { Stores } from './stores.js';
import { describeProjections, followersOf } from './gauges.js';

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
): Promise<Omit<Api, 'example'>> {
  const { metrics } = stores.telemetry;
  const fastify = await createHttpServer({
    trustProxy: config.trustProxy,
    publicUrl: config.publicUrl,
    corsOrigins: config.corsOrigins,
    log,
    metrics,
  });
  describeProjections(metrics, projections, stores);
  const graceful = new GracefulStop(fastify, { drainMs: config.shutdownDrainMs });
  const problems = (): string[] => [
    ...(graceful.problem === undefined ? [] : [graceful.problem]),
    ...(caughtUp() ? [] : ['the read models are catching up']),
    ...projections.models.failures().map(({ model }) => `the read model ${model} is not making progress`),
  ];
  serveHealth(
    fastify,
    { problems, warnings: projections.warnings, followers: () => followersOf(stores, projections) },
    metrics,
  );
  return { fastify, graceful };
}
