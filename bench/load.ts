// A load generator in a process of its own: keep-alive connections over plain sockets, one request in
// flight on each, so that it costs less than what it measures.
import type { Socket } from 'node:net';
import { connect } from 'node:net';

export interface Load {
  readonly url: string;
  /** POST by default. */
  readonly method?: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
  /** What in the body is another number in each request, of as many digits. */
  readonly placeholder?: string;
  /** Requests a second, from a schedule that does not wait for answers; absent: as fast as answers come. */
  readonly rate?: number;
}

export interface LoadResult {
  readonly perSecond: number;
  /** All of them, those of the first moments too. */
  readonly answers: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

const WARMUP_MS = 250;

const HEAD_END = Buffer.from('\r\n\r\n');

/** Calls back with each answer's status; bodies have a content-length. */
function reader(onAnswer: (ok: boolean) => void): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      const end = pending.indexOf(HEAD_END);
      if (end < 0) return;
      const head = pending.toString('latin1', 0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (pending.length < end + 4 + length) return;
      const body = pending.subarray(end + 4, end + 4 + length);
      pending = pending.subarray(end + 4 + length);
      onAnswer(head.startsWith('HTTP/1.1 200') && !body.includes('"errors"'));
    }
  };
}

function percentile(sorted: Float64Array, p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;
}

/** Makes requests one after the other: the same one, or each with a number of its own. */
function numbered(request: Buffer, placeholder: string | undefined): () => Buffer {
  if (placeholder === undefined) return () => request;
  const places: number[] = [];
  for (let at = request.indexOf(placeholder); at >= 0; at = request.indexOf(placeholder, at + 1)) {
    places.push(at);
  }
  // Of another run none is the same.
  let number = Date.now() * 1_000;
  return () => {
    const text = String(number++).padStart(placeholder.length, '0').slice(-placeholder.length);
    const next = Buffer.from(request);
    for (const at of places) next.write(text, at, 'latin1');
    return next;
  };
}

async function run({
  url,
  method = 'POST',
  body,
  headers,
  connections,
  seconds,
  rate,
  placeholder,
}: Load): Promise<LoadResult> {
  const { hostname, port, pathname, search } = new URL(url);
  const lines = Object.entries({ host: hostname, 'content-type': 'application/json', ...headers });
  const request = Buffer.from(
    `${method} ${pathname}${search} HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const nextRequest = numbered(request, placeholder);
  const latencies: number[] = [];
  let failed = 0;
  let answers = 0;
  let begin = Number.POSITIVE_INFINITY;
  let until = begin;
  const idle: Socket[] = [];
  const sentAt = new Map<Socket, number>();
  const send = (socket: Socket, scheduled: number): void => {
    sentAt.set(socket, scheduled);
    socket.write(nextRequest());
  };
  let done!: () => void;
  const finished = new Promise<void>((resolve) => (done = resolve));

  // Open loop: what is due and found no free connection waits, and its waiting counts.
  const due: number[] = [];
  let next = 0;
  const answered = (socket: Socket, ok: boolean): void => {
    const now = performance.now();
    // The first moments are this process's own warming up.
    if (now >= begin + WARMUP_MS) latencies.push(now - (sentAt.get(socket) as number));
    answers++;
    if (!ok) failed++;
    if (rate === undefined) {
      if (now < until) return send(socket, now);
    } else {
      const scheduled = due.shift();
      if (scheduled !== undefined) return send(socket, scheduled);
    }
    idle.push(socket);
    if (idle.length === connections && now >= until) done();
  };

  const sockets = await Promise.all(
    Array.from({ length: connections }, () => {
      return new Promise<Socket>((resolve, reject) => {
        const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => resolve(socket));
        socket.on('error', reject);
        socket.on(
          'data',
          reader((ok) => answered(socket, ok)),
        );
      });
    }),
  );
  begin = performance.now();
  until = begin + WARMUP_MS + seconds * 1000;
  if (rate === undefined) {
    for (const socket of sockets) send(socket, performance.now());
  } else {
    idle.push(...sockets);
    const timer = setInterval(() => {
      const now = performance.now();
      while (begin + (next * 1000) / rate <= now && begin + (next * 1000) / rate < until) {
        due.push(begin + (next++ * 1000) / rate);
      }
      while (idle.length > 0 && due.length > 0) send(idle.pop() as Socket, due.shift() as number);
      if (now >= until && due.length === 0 && idle.length === connections) {
        clearInterval(timer);
        done();
      }
    }, 1);
  }
  await finished;
  const elapsed = (performance.now() - begin - WARMUP_MS) / 1000;
  for (const socket of sockets) socket.destroy();
  const sorted = Float64Array.from(latencies).sort();
  return {
    perSecond: latencies.length / elapsed,
    answers,
    p50Ms: percentile(sorted, 0.5),
    p95Ms: percentile(sorted, 0.95),
    p99Ms: percentile(sorted, 0.99),
    failed,
  };
}

process.on('message', (load: Load) => {
  run(load).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${(error as Error).stack}\n`);
      process.exit(1);
    },
  );
});
