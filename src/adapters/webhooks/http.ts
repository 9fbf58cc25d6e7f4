import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { RequestOptions } from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Networks } from '../../ipAddress.js';
import { ipAddress, isPublic } from '../../ipAddress.js';
import type { NoAnswer, WebhookRequest, WebhookTransport } from '../../webhooks/transport.js';

/** How long one attempt may take, from the name to the end of the answer, in milliseconds. */
const TIMEOUT_MS = 15_000;
/** Of an answer that nobody reads; whoever sends more is cut off. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;

export interface HttpWebhooksOptions {
  /** Networks that are not public and may be reached all the same; undefined for none. */
  readonly allowed: Networks | undefined;
  readonly timeoutMs?: number;
  readonly resolve?: (host: string) => Promise<readonly Pick<LookupAddress, 'address' | 'family'>[]>;
}

class Failed extends Error {
  constructor(readonly failure: NoAnswer) {
    super(failure);
  }
}

/**
 * Webhooks over HTTP. Whoever registers an address may want to reach what only this machine can (SSRF): a name is
 * resolved once, every address that it has is checked, and the connection goes to those and no others, so that
 * a name that changes in between (DNS rebinding) gains nothing.
 */
export function httpWebhooks({
  allowed,
  timeoutMs = TIMEOUT_MS,
  resolve = (host) => lookup(host, { all: true, verbatim: true }),
}: HttpWebhooksOptions): WebhookTransport {
  const isAllowed = (text: string, secure: boolean): boolean => {
    const address = ipAddress(text);
    if (address === undefined) return false;
    return (allowed?.has(address) ?? false) || (secure && isPublic(address));
  };

  return {
    post: async ({ url, headers, body }, stop) => {
      const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), stop]);
      try {
        const target = new URL(url);
        const secure = target.protocol === 'https:';
        if (!secure && target.protocol !== 'http:') throw new Failed('URL_NOT_ALLOWED');
        const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
        const addresses = await addressesOf(host, resolve, signal);
        if (!addresses.every(({ address }) => isAllowed(address, secure))) {
          throw new Failed('ADDRESS_NOT_ALLOWED');
        }
        return { status: await exchange(target, { url, headers, body }, addresses, signal) };
      } catch (error) {
        stop.throwIfAborted();
        return { failure: failureOf(error, signal) };
      }
    },
  };
}

type Addresses = readonly Pick<LookupAddress, 'address' | 'family'>[];

async function addressesOf(
  host: string,
  resolve: NonNullable<HttpWebhooksOptions['resolve']>,
  signal: AbortSignal,
): Promise<Addresses> {
  const literal = ipAddress(host);
  if (literal !== undefined) return [{ address: host, family: host.includes(':') ? 6 : 4 }];
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Failed('TIMED_OUT')), { once: true });
  });
  const found = await Promise.race([
    resolve(host).catch(() => {
      throw new Failed('NAME_NOT_RESOLVED');
    }),
    aborted,
  ]);
  if (found.length === 0) throw new Failed('NAME_NOT_RESOLVED');
  return found;
}

/** @returns the status of the answer */
function exchange(
  target: URL,
  { headers, body }: WebhookRequest,
  addresses: Addresses,
  signal: AbortSignal,
): Promise<number> {
  // What was checked, and nothing that is asked for anew.
  const checked = ((_host, options, answer) => {
    if (options.all) return answer(null, [...addresses] as LookupAddress[]);
    const [first] = addresses as [LookupAddress];
    return answer(null, first.address, first.family);
  }) as LookupFunction;
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    lookup: checked,
    signal,
    // A connection of its own for each: none is kept for whoever comes next.
    agent: false,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  signal.throwIfAborted();
  return new Promise((answered, failed) => {
    // Whatever the request makes of the answer: nobody holds a place for longer.
    signal.addEventListener('abort', () => failed(new Failed('TIMED_OUT')), { once: true });
    const request = (target.protocol === 'https:' ? requestHttps : requestHttp)(target, options);
    request.on('error', failed);
    // Where nobody listens, Node ends the request of a receiver that switches protocols with no event but `close`.
    request.on('upgrade', ({ statusCode }, socket) => {
      socket.destroy();
      answered(statusCode ?? 0);
    });
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      let bytes = 0;
      // The answer counts by its status; it is read to its end so that the receiver can finish.
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) response.destroy();
      });
      response.on('error', () => undefined);
      response.on('close', () => (signal.aborted ? failed(new Failed('TIMED_OUT')) : answered(status)));
    });
    request.end(body);
  });
}

function failureOf(error: unknown, signal: AbortSignal): NoAnswer {
  if (error instanceof Failed) return error.failure;
  if (signal.aborted) return 'TIMED_OUT';
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ERR_INVALID_URL') return 'URL_NOT_ALLOWED';
  return /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/.test(code)
    ? 'TLS_FAILED'
    : 'CONNECTION_FAILED';
}
