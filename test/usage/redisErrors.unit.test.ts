import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { RedisScript } from '../../src/adapters/redis/connection.js';
import { silentLogger } from '../../src/logger.js';
import { LimitsUnavailable } from '../../src/usage/limits/limiter.js';

/** What a server that answers every script with this error makes of a call. */
async function failingWith(error: string): Promise<unknown> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.setEncoding('latin1').on('data', (text: string) => {
      for (const command of text.split(/(?=\*\d+\r\n)/)) {
        if (command.includes('EVALSHA')) socket.write(`-${error}\r\n`);
        else if (command.includes('INFO\r\n')) socket.write('$9\r\nrun_id:ab\r\n');
        else socket.write('+OK\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const script = new RedisScript(
    `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    'return 1',
    silentLogger,
  );
  try {
    await script.tried;
    expect(script.up).toBe(true);
    return await script.run(() => ['key'], []).catch((failure: unknown) => failure);
  } finally {
    await script.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
}

it.each([
  // As 7.0 and newer say it, and as those before do.
  "OOM command not allowed when used memory > 'maxmemory'. script: ab, on @user_script:64.",
  "ERR Error running script (call to f_ab): @user_script:64: @user_script: 64: -OOM command not allowed when used memory > 'maxmemory'.",
  "ERR Error running script (call to f_ab): @user_script:64: @user_script: 64: -READONLY You can't write against a read only replica.",
])('what the server cannot do in its state is an outage: %s', async (error) => {
  expect(await failingWith(error)).toBeInstanceOf(LimitsUnavailable);
});

it.each([
  'ERR user_script:64: attempt to index a nil value script: ab, on @user_script:64.',
  'ERR Error running script (call to f_ab): @user_script:64: attempt to index a nil value',
])('what is wrong with the script is none: %s', async (error) => {
  const failure = await failingWith(error);
  expect(failure).toBeInstanceOf(Error);
  expect(failure).not.toBeInstanceOf(LimitsUnavailable);
});
