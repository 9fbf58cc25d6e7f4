import type { IncomingMessage } from 'node:http';
import { addressOfNode, ipAddress, Networks } from '../ipAddress.js';
import { parseForwarded } from './forwarded.js';

/** Whom we believe: how many proxies stand before this process, or the networks that they are in; 0: nobody. */
export type ProxyTrust = number | readonly string[];

/** As far as they are followed. */
export const MAX_PROXIES = 16;

/** Where a request comes from, as far as that can be known. */
export interface Client {
  /** Undefined when the connection has gone already, or what the proxies say contradicts itself. */
  readonly address: string | undefined;
  /** Whether it came by TLS, by what the proxy says. */
  readonly secure: boolean;
}

/** What a way through proxies comes to. */
interface Way {
  readonly address: string;
  /** Trusted proxies on it. */
  readonly proxies: number;
}

/**
 * Tells who calls by the connection and from what trusted proxies say of it, in `X-Forwarded-For` or
 * `Forwarded` (RFC 7239). Both are read from the right, since each proxy appends the address that it was called
 * from: what stands left of the last trusted proxy's report the caller has written. A report that is no address
 * ends the way: the caller is then whoever made it.
 *
 * A proxy that writes one of the headers passes on the other as it came, so neither can be preferred. Where both
 * come they must agree; otherwise nobody knows who calls. That is no address, and not the proxy's: whoever could
 * choose between two would have the limits of both, and of everybody else behind the proxy.
 */
export class Proxies {
  /** @param before proxies that stand between this address and us */
  readonly #trusts: (address: string, before: number) => boolean;

  /** @throws RangeError that names what is no network */
  constructor(trusted: ProxyTrust) {
    if (typeof trusted === 'number') this.#trusts = (_address, before) => before < trusted;
    else {
      const networks = new Networks(trusted);
      this.#trusts = (address) => networks.has(address);
    }
  }

  clientOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): Client {
    const peer = ipAddress(socket.remoteAddress ?? '');
    if (peer === undefined || !this.#trusts(peer, 0)) return { address: peer, secure: false };
    const list = headers['x-forwarded-for']?.toString();
    const { forwarded } = headers;
    const elements = forwarded === undefined ? [] : parseForwarded(forwarded);
    const byList = this.#follow(peer, (list ?? '').split(',').map(addressInList));
    const byForwarded = this.#follow(
      peer,
      elements.map(({ for: node }) => (node === undefined ? undefined : addressOfNode(node))),
    );
    const way = list === undefined ? byForwarded : byList;
    const agreed = forwarded === undefined || byForwarded.address === way.address;
    const { proxies } = way;
    const said = [
      headers['x-forwarded-proto'] === undefined
        ? undefined
        : reportOf(headers['x-forwarded-proto'].toString().split(','), proxies)?.trim(),
      reportOf(elements, proxies)?.proto,
    ].filter((scheme) => scheme !== undefined);
    return {
      address: agreed ? way.address : undefined,
      secure: said.length > 0 && said.every((scheme) => scheme.toLowerCase() === 'https'),
    };
  }

  /** @param reports by the trusted peer the last, each of whom that proxy was called by */
  #follow(peer: string, reports: readonly (string | undefined)[]): Way {
    let address = peer;
    let proxies = 1;
    for (const report of reports.slice(-MAX_PROXIES).reverse()) {
      if (report === undefined) break;
      address = report;
      if (!this.#trusts(report, proxies)) break;
      proxies += 1;
    }
    return { address, proxies };
  }
}

/** What the first of so many proxies has said; proxies that set a header leave one value. */
const reportOf = <T>(reports: readonly T[], proxies: number): T | undefined =>
  reports[Math.max(0, reports.length - proxies)];

const addressInList = (entry: string): string | undefined => addressOfNode(entry.trim());
