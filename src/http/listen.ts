import { once } from 'node:events';
import { createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import { ConfigError } from '../config.js';

/**
 * Finds out whether the address can be listened at, before the start does its work.
 * @throws ConfigError when it is taken or not ours to take
 */
export async function probeAddress({ host, port }: Config): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw explained(error);
  }
  server.close();
  await once(server, 'close');
}

/** @throws ConfigError when the address is taken or not ours to take */
export async function listen(fastify: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await fastify.listen({ host, port });
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    const what = 'another process is listening there already';
    return new ConfigError([`PORT: ${what}. Stop it first, or choose another port: PORT=4001 npm start`]);
  }
  if (code === 'EACCES') return new ConfigError(['PORT: this user may not listen there']);
  if (code === 'EADDRNOTAVAIL') return new ConfigError(['HOST: this machine has no such address']);
  return error;
}
