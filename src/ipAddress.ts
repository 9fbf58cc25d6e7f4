import { isIP, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where IPv4 is reached through a translator (RFC 6052): the last 32 bits are the IPv4 address. */
const NAT64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b::'), 96];

/** Of IPv6: what one subscriber has (RFC 6177 gives a site at least that much). */
const SUBSCRIBER_BITS = 64;
const GROUP_BITS = 16;

/**
 * Reads an IP address as everything here compares it.
 * @returns IPv4 with dots, also where IPv6 carries one (mapped, or behind NAT64); IPv6 as RFC 5952 writes it,
 * without a zone. Undefined for all else: a name, `010.0.0.1`, `127.1`, an address with a port.
 */
export function ipAddress(text: string): string | undefined {
  // Stricter than ipaddr.js, which takes octal, hexadecimal and short forms as the C library does.
  if (isIP(text) === 0) return undefined;
  return isIPv4(text) ? text : asIPv4(ipaddr.IPv6.parse(withoutZone(text))).toString();
}

/** An address as proxies write it: in brackets, or with a port. A name that hides one (RFC 7239) is none. */
const WITH_PORT = /^(?:\[([^[\]]+)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/;

/** The same for what a proxy writes: a port or brackets may stand with it, which say nothing of who calls. */
export function addressOfNode(text: string): string | undefined {
  const [, bracketed, plain] = WITH_PORT.exec(text) ?? [];
  return ipAddress(bracketed ?? plain ?? text);
}

/**
 * What counts as one place: an IPv4 address, or a network of IPv6, /64, of which everybody has all addresses.
 * @returns undefined for what is no address
 */
export function placeOf(text: string): string | undefined {
  const address = ipAddress(text);
  if (address === undefined || isIPv4(address)) return address;
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, SUBSCRIBER_BITS / GROUP_BITS);
  return `${groups.map((group) => group.toString(16)).join(':')}::/${SUBSCRIBER_BITS}`;
}

/** What is routed between networks of IPv6 (RFC 4291, section 2.4, and IANA's registry). */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Whether an address is one of the public Internet: none of this machine, of a private network, of the provider's
 * own (link-local, where clouds have their metadata), of a tunnel that carries IPv4, reserved, or of many.
 * @param address as `ipAddress` gives it
 */
export function isPublic(address: string): boolean {
  const ip = ipaddr.parse(address);
  if (ip.range() !== 'unicast') return false;
  return ip.kind() === 'ipv4' || (ip as ipaddr.IPv6).match(GLOBAL_UNICAST);
}

/** Networks in CIDR notation, or single addresses. */
export class Networks {
  readonly #ranges: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];

  /** @throws RangeError that names what is no network */
  constructor(networks: readonly string[]) {
    this.#ranges = networks.map(rangeOf);
  }

  /** @param address as `ipAddress` gives it */
  has(address: string): boolean {
    const ip = ipaddr.parse(address);
    return this.#ranges.some(([network, bits]) => ip.kind() === network.kind() && ip.match(network, bits));
  }
}

function rangeOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [, host = text, prefix] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = ipAddress(host);
  if (address === undefined) throw new RangeError(`"${text}" is neither a network nor an address`);
  const ip = ipaddr.parse(address);
  const most = ip.kind() === 'ipv4' ? 32 : 128;
  // A network of mapped addresses is one of IPv4.
  const mapped = ip.kind() === 'ipv4' && !isIPv4(host) ? 96 : 0;
  const bits = prefix === undefined ? most : Number(prefix) - mapped;
  if (bits < 0 || bits > most) throw new RangeError(`"${text}" has no such prefix`);
  if (bits === 0) throw new RangeError(`"${text}" is everybody`);
  return [ip, bits];
}

function asIPv4(ip: ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (ip.isIPv4MappedAddress()) return ip.toIPv4Address();
  return ip.match(NAT64) ? new ipaddr.IPv4(ip.toByteArray().slice(12)) : ip;
}

const withoutZone = (text: string): string => text.replace(/%.*$/s, '');
