import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import { ConfigError } from '../config.js';

/** @throws ConfigError when the address is taken or not ours to take */
export async function listen(fastify: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await fastify.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new ConfigError(['PORT: another process is listening there already']);
    if (code === 'EACCES') throw new ConfigError(['PORT: this user may not listen there']);
    if (code === 'EADDRNOTAVAIL') throw new ConfigError(['HOST: this machine has no such address']);
    throw error;
  }
}
