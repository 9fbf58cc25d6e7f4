import { unlink } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { ZodError } from 'zod';
import { OperatorRefusal } from '../following/operatorRefusal.js';
import type { Logger } from '../logger.js';
import type { AdminReply, AdminRequest } from './protocol.js';
import { adminSocket } from './protocol.js';

export interface AdminContext {
  /** Shows the operator how far it is; what comes too fast is left out. */
  readonly progress: (value: object) => void;
  /** Aborted when the operator goes away. */
  readonly signal: AbortSignal;
}

/** A command by its name; its arguments come unchecked. What is thrown as OperatorRefusal is told, the rest logged. */
export type AdminCommands = Readonly<
  Record<string, (args: unknown, context: AdminContext) => Promise<unknown>>
>;

const PROGRESS_EVERY_MS = 200;

/** Takes an operator's commands on a socket in the data directory, which only its owner can open. */
export class AdminServer {
  readonly #sockets = new Set<Socket>();

  #commands: AdminCommands;

  private constructor(
    private readonly server: Server,
    commands: AdminCommands,
  ) {
    this.#commands = commands;
  }

  /** The caller holds the lock on the data directory: a socket that is there is a dead one. */
  static async open(dataDir: string, commands: AdminCommands, log: Logger): Promise<AdminServer> {
    const path = adminSocket(dataDir);
    await unlink(path).catch(() => undefined);
    const server = createServer();
    const admin = new AdminServer(server, commands);
    server.on('connection', (socket) => {
      admin.#sockets.add(socket);
      socket.on('close', () => admin.#sockets.delete(socket));
      socket.on('error', () => undefined);
      void serve(socket, admin.#commands, log);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // The socket is made within the call: nobody else can open it at any moment.
      const before = process.umask(0o177);
      server.listen(path, resolve);
      process.umask(before);
    });
    return admin;
  }

  /** Takes more commands from now on. */
  add(commands: AdminCommands): void {
    this.#commands = { ...this.#commands, ...commands };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** One connection, one command. */
async function serve(socket: Socket, commands: AdminCommands, log: Logger): Promise<void> {
  const gone = new AbortController();
  socket.on('close', () => gone.abort(new OperatorRefusal('the operator has gone away')));
  const send = (reply: AdminReply): void => {
    if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
  };
  let shown = 0;
  const progress = (value: object): void => {
    const now = performance.now();
    if (now - shown < PROGRESS_EVERY_MS) return;
    shown = now;
    send({ kind: 'progress', value });
  };
  for await (const line of createInterface({ input: socket })) {
    send(await answer(line, commands, { progress, signal: gone.signal }, log));
    break;
  }
  socket.end();
}

async function answer(
  line: string,
  commands: AdminCommands,
  context: AdminContext,
  log: Logger,
): Promise<AdminReply> {
  try {
    const { command, args } = JSON.parse(line) as AdminRequest;
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (!run) {
      const message = `The running process knows no command "${command}". Is it another version?`;
      return { kind: 'refused', message };
    }
    return { kind: 'result', value: (await run(args, context)) ?? null };
  } catch (error) {
    if (error instanceof OperatorRefusal) return { kind: 'refused', message: error.message };
    if (error instanceof ZodError) {
      const message = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
      return { kind: 'refused', message };
    }
    log.error('an operator command failed', error);
    const { message } = error as Error;
    return { kind: 'refused', message: `It failed, the log of the process has more: ${message}` };
  }
}
