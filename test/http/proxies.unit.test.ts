import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { parseForwarded } from '../../src/http/forwarded.js';
import type { Client, ProxyTrust } from '../../src/http/proxies.js';
import { Proxies } from '../../src/http/proxies.js';

type Headers = Record<string, string>;

const clientOf = (trust: ProxyTrust, headers: Headers, peer: string | null = '10.0.0.1'): Client =>
  new Proxies(trust).clientOf({
    socket: { remoteAddress: peer ?? undefined },
    headers,
  } as unknown as IncomingMessage);
const addressOf = (...args: Parameters<typeof clientOf>): string | undefined => clientOf(...args).address;

const xff = (value: string): Headers => ({ 'x-forwarded-for': value });
const forwarded = (value: string): Headers => ({ forwarded: value });
const PRIVATE = ['10.0.0.0/8', 'fd00::/8'];

describe('X-Forwarded-For', () => {
  it.each<[ProxyTrust, string, string]>([
    [0, '203.0.113.7', '10.0.0.1'],
    [[], '203.0.113.7', '10.0.0.1'],
    [1, '203.0.113.7', '203.0.113.7'],
    [1, '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    [2, '198.51.100.1, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    [2, '203.0.113.7', '203.0.113.7'],
    [PRIVATE, '203.0.113.7', '203.0.113.7'],
    [PRIVATE, '198.51.100.1, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    [PRIVATE, '10.0.0.9, 203.0.113.7, fd00::2', '203.0.113.7'],
    [PRIVATE, '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    // Ports, brackets, mapped addresses.
    [1, '203.0.113.7:4711', '203.0.113.7'],
    [1, '[2001:db8::7]:4711', '2001:db8::7'],
    [PRIVATE, '203.0.113.7, ::ffff:10.0.0.2', '203.0.113.7'],
    // What is no address ends the way: whoever reported it counts.
    [1, '203.0.113.7, unknown', '10.0.0.1'],
    [1, '203.0.113.7,', '10.0.0.1'],
    [1, '', '10.0.0.1'],
    [2, '203.0.113.7, garbage, 10.0.0.2', '10.0.0.2'],
    [PRIVATE, '203.0.113.7, _hidden, 10.0.0.2', '10.0.0.2'],
  ])('with %j trusted, %j comes from %s', (trust, value, address) => {
    expect(addressOf(trust, xff(value))).toBe(address);
  });

  it('of a peer outside of the networks counts for nothing', () => {
    expect(addressOf(PRIVATE, xff('203.0.113.7'), '192.0.2.1')).toBe('192.0.2.1');
  });

  it.each([
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['fe80::1%eth0', 'fe80::1'],
    [null, undefined],
  ])('without proxies a peer %s counts as %s', (peer, address) => {
    expect(clientOf(0, xff('203.0.113.7'), peer)).toEqual({ address, secure: false });
  });
});

describe('Forwarded', () => {
  it.each<[ProxyTrust, string, string]>([
    [0, 'for=203.0.113.7', '10.0.0.1'],
    [1, 'for=203.0.113.7', '203.0.113.7'],
    [1, 'For="203.0.113.7:4711" ; Proto=https', '203.0.113.7'],
    [1, 'for="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    [1, 'for=198.51.100.1, for=203.0.113.7;by=10.0.0.1', '203.0.113.7'],
    [PRIVATE, 'for=198.51.100.1, for=203.0.113.7, for="[fd00::2]"', '203.0.113.7'],
    [1, 'for=198.51.100.1, for=unknown', '10.0.0.1'],
    [1, 'for=198.51.100.1, proto=https', '10.0.0.1'],
    // A caller's open quotation swallows what the proxy appends; nothing is read from it.
    [1, 'for="198.51.100.1, for="[2001:db8::1]:4711"', '10.0.0.1'],
    [1, 'for="198.51.100.1, for=203.0.113.7', '10.0.0.1'],
    [1, 'for=198.51.100.1;for=203.0.113.7', '10.0.0.1'],
  ])('with %j trusted, %j comes from %s', (trust, value, address) => {
    expect(addressOf(trust, forwarded(value))).toBe(address);
  });

  it.each([
    'for=a,',
    'for=a;',
    ',for=a',
    'for',
    'for=',
    '=a',
    'for=a b',
    'for="a',
    'for="a"b',
    'for=a;;by=b',
    'for=a,,for=b',
  ])('is not read where it is malformed: %j', (text) => expect(parseForwarded(text)).toEqual([]));
});

describe('both headers', () => {
  it('count where they agree', () => {
    const both = { ...xff('198.51.100.1, 203.0.113.7'), ...forwarded('for=203.0.113.7') };
    expect(addressOf(1, both)).toBe('203.0.113.7');
  });

  it.each<Headers>([
    { ...xff('198.51.100.1'), ...forwarded('for=203.0.113.7') },
    { ...xff('203.0.113.7'), ...forwarded('for="') },
    // The proxy's own address is nobody's choice either.
    { ...xff('203.0.113.7'), ...forwarded('for=10.0.0.1') },
    { ...xff('203.0.113.7'), ...forwarded('proto=https') },
  ])('leave no address where they do not, since either may be what the caller wrote: %j', (both) => {
    expect(addressOf(1, both)).toBeUndefined();
    expect(addressOf(PRIVATE, both)).toBeUndefined();
  });
});

describe('the scheme', () => {
  it.each<[ProxyTrust, Headers, boolean]>([
    [1, {}, false],
    [0, { 'x-forwarded-proto': 'https' }, false],
    [1, { 'x-forwarded-proto': 'https' }, true],
    [1, { 'x-forwarded-proto': 'HTTPS' }, true],
    [1, { 'x-forwarded-proto': 'http' }, false],
    [1, { 'x-forwarded-proto': 'https, http' }, false],
    [1, { 'x-forwarded-proto': 'http, https' }, true],
    [2, { ...xff('203.0.113.7, 10.0.0.2'), 'x-forwarded-proto': 'https, http' }, true],
    [PRIVATE, { ...xff('203.0.113.7, 10.0.0.2'), 'x-forwarded-proto': 'https, http' }, true],
    [PRIVATE, { ...xff('203.0.113.7'), 'x-forwarded-proto': 'https, http' }, false],
    [1, forwarded('for=203.0.113.7;proto=https'), true],
    [1, forwarded('proto=https, for=203.0.113.7;proto=http'), false],
    [1, { ...forwarded('for=203.0.113.7;proto=https'), 'x-forwarded-proto': 'http' }, false],
    [1, { ...forwarded('for=203.0.113.7'), 'x-forwarded-proto': 'https' }, true],
  ])('with %j trusted, %j came by TLS: %s', (trust, headers, secure) => {
    expect(clientOf(trust, headers).secure).toBe(secure);
  });

  it('is not believed of a peer outside of the networks', () => {
    expect(clientOf(PRIVATE, { 'x-forwarded-proto': 'https' }, '192.0.2.1').secure).toBe(false);
  });
});

describe('whatever a caller writes', () => {
  const caller = '203.0.113.7';
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('10.0.0.2', 'unknown', '', '"', 'for="', ','),
  );
  const hostile = fc.oneof(
    fc.array(address, { maxLength: 40 }).map((all) => all.join(', ')),
    fc.array(address, { maxLength: 5 }).map((all) => all.map((one) => `for=${one}`).join(', ')),
    fc.string({ unit: fc.constantFrom(...'for=by";,\\ 0123456789.:[]'), maxLength: 60 }),
  );
  const trusts = fc.constantFrom<ProxyTrust>(1, PRIVATE);

  it('before a proxy that appends, the caller stays the same', () => {
    fc.assert(
      fc.property(hostile, trusts, (text, trust) => {
        expect(addressOf(trust, xff(`${text}, ${caller}`))).toBe(caller);
      }),
    );
  });

  it('before a proxy that leaves the other header alone, it is the caller or nobody', () => {
    fc.assert(
      fc.property(hostile, hostile, trusts, (list, other, trust) => {
        const headers = { ...xff(`${list}, ${caller}`), ...forwarded(other) };
        expect([caller, undefined]).toContain(addressOf(trust, headers));
      }),
    );
  });

  it('in both headers, it comes from nobody but the caller or the proxy', () => {
    fc.assert(
      fc.property(hostile, hostile, fc.boolean(), trusts, (list, other, appends, trust) => {
        const element = `for=${caller};proto=http`;
        const headers = appends
          ? { ...xff(`${list}, ${caller}`), ...forwarded(other) }
          : { ...xff(list), ...forwarded(`${other}, ${element}`) };
        expect([caller, '10.0.0.1', undefined]).toContain(addressOf(trust, headers));
      }),
      { numRuns: 1_000 },
    );
  });
});
