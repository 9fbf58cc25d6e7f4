import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import type { Sandbox, SandboxOptions } from '../../src/sandbox/sandbox.js';
import { startSandbox } from '../../src/sandbox/sandbox.js';
import { silentLogger } from '../../src/logger.js';
import { freshSql } from '../support/database.js';

export const SECRET = 'whsec_test';

export interface TestSandbox {
  readonly sandbox: Sandbox;
  readonly stripe: Stripe;
  /** What came by webhook, checked with the SDK, in the order in which it came. */
  readonly received: Stripe.Event[];
  /** What the endpoint answers; 200 at first. */
  answer: number;
  /** What was sent and could not be verified. */
  readonly forged: string[];
  close(): Promise<void>;
}

/** A sandbox on a database of its own, with an endpoint that keeps what it gets. */
export async function testSandbox(options: Partial<SandboxOptions> = {}): Promise<TestSandbox> {
  const database = await freshSql();
  const received: Stripe.Event[] = [];
  const forged: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      try {
        const event = Stripe.webhooks.constructEvent(
          body,
          String(request.headers['stripe-signature']),
          SECRET,
        );
        if (test.answer < 300) received.push(event);
        response.statusCode = test.answer;
      } catch (error) {
        forged.push((error as Error).message);
        response.statusCode = 400;
      }
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  const sandbox = await startSandbox({
    sql: database.sql,
    log: {
      ...silentLogger,
      error: (message, error) => void process.stderr.write(`${message}: ${(error as Error).stack ?? ''}\n`),
    },
    webhook: { url: `http://127.0.0.1:${port}/hook`, secret: SECRET },
    ...options,
  });
  const test: TestSandbox = {
    sandbox,
    stripe: new Stripe(sandbox.apiKey, { ...sandbox.client, maxNetworkRetries: 0 }),
    received,
    forged,
    answer: 200,
    close: async () => {
      await sandbox.close();
      await new Promise((resolve) => server.close(resolve));
      await database.remove();
    },
  };
  return test;
}

/** Seconds since the epoch. */
export const at = (iso: string): number => Date.parse(iso) / 1000;

/** Types a card on a page as a person does; the answer of the page, redirects not followed. */
export function typeCard(url: string, number: string, more: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      number,
      expiry: '12/44',
      cvc: '123',
      email: 'ann@example.com',
      name: 'Ann',
      ...more,
    }),
    redirect: 'manual',
  });
}
