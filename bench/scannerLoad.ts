import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { startNode, stopNode } from './nodes.js';
import { quantile } from './statistics.js';

export interface ScannerLoad {
  /** The most memory while files were analysed, above what the idle process has, in MB; NaN where /proc has no such figure. */
  readonly memoryMb: number;
  /** Of `/health/live` meanwhile, in milliseconds. */
  readonly healthP50Ms: number;
  readonly healthP99Ms: number;
  /** Until the last answer. */
  readonly seconds: number;
}

const AT_ONCE = 10;
const LOOK_MS = 20;

/** Uploads files at once to a product in a process of its own, from as many addresses. */
export async function benchScannerLoad(dataDir: string, file: Buffer): Promise<ScannerLoad> {
  const node = await startNode('.', {
    DATABASE_URL: undefined,
    DATA_DIR: dataDir,
    PROFILE: 'scanner',
    PAYMENT_REQUIRED: 'false',
    EMBEDDINGS: 'off',
    BILLING: 'off',
    TRUST_PROXY: '1',
    PORT: '0',
  });
  try {
    const analyze = async (from: number): Promise<void> => {
      const body = new FormData();
      body.append('file', new Blob([file]), 'chat.txt');
      const headers = { 'x-forwarded-for': `10.0.0.${from}` };
      const response = await fetch(`${node.url}/analyze`, { method: 'POST', headers, body });
      const text = await response.text();
      if (!response.ok) throw new Error(`/analyze answered ${response.status}: ${text.slice(0, 200)}`);
    };
    // The first ones are compiled under way.
    for (let i = 0; i < 2; i++) await analyze(100 + i);
    await delay(2_000);
    const idle = await residentMb(node.process.pid);
    let most = idle;
    let done = false;
    const health: number[] = [];
    const watching = (async () => {
      while (!done) {
        const began = performance.now();
        await (await fetch(`${node.url}/health/live`)).text();
        health.push(performance.now() - began);
        most = Math.max(most, await residentMb(node.process.pid));
        await delay(LOOK_MS);
      }
    })();
    const began = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => analyze(i)));
    const seconds = (performance.now() - began) / 1000;
    done = true;
    await watching;
    return {
      memoryMb: most - idle,
      healthP50Ms: quantile(health, 0.5),
      healthP99Ms: quantile(health, 0.99),
      seconds,
    };
  } finally {
    await stopNode(node);
  }
}

async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}
