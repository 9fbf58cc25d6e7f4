import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { AdminReply, AdminRequest } from '../admin/protocol.js';
import { adminSocket } from '../admin/protocol.js';

/** The command could not be carried out; the message is for people. */
export class Refused extends Error {}

/** Sends a command to the process that uses the data directory. @throws Refused */
export async function askProcess(
  dataDir: string,
  request: AdminRequest,
  onProgress: (value: unknown) => void,
): Promise<unknown> {
  const socket = connect(adminSocket(dataDir));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error: NodeJS.ErrnoException) => reject(unreachable(dataDir, error)));
  });
  socket.write(`${JSON.stringify(request)}\n`);
  try {
    for await (const line of createInterface({ input: socket })) {
      const reply = JSON.parse(line) as AdminReply;
      if (reply.kind === 'progress') onProgress(reply.value);
      else if (reply.kind === 'refused') throw new Refused(reply.message);
      else return reply.value;
    }
  } finally {
    socket.destroy();
  }
  throw new Refused('The process ended before it had answered.');
}

function unreachable(dataDir: string, error: NodeJS.ErrnoException): Refused {
  if (error.code === 'EACCES') {
    return new Refused(`Only the user who runs the process on ${dataDir} may command it.`);
  }
  return new Refused(
    `No Tollgraph process is running on ${dataDir}. Start it with "npm start", or name its directory: DATA_DIR=…`,
  );
}
