import fc from 'fast-check';
import { addressOfNode, ipAddress, Networks, placeOf } from '../src/ipAddress.js';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:c000:0201', '192.0.2.1'],
  ['64:ff9b::192.0.2.1', '192.0.2.1'],
  ['64:ff9b::c000:201', '192.0.2.1'],
  ['64:ff9b:1::c000:201', '64:ff9b:1::c000:201'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
  ['::1', '::1'],
])('%j is the address %j', (text, address) => expect(ipAddress(text)).toBe(address));

const NO_ADDRESSES = [
  '',
  ' ',
  'unknown',
  '_hidden',
  'example.com',
  '192.0.2.256',
  '192.0.2',
  '127.1',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '192.0.2.01',
  '2130706433',
  '2001:db8::1::2',
  '2001:db8:1:2:3:4:5:6:7',
  '192.0.2.1/24',
  '192.0.2.1, 192.0.2.2',
  '192.0.2.1 ',
  '１９２.0.2.1',
  '%eth0',
  '::1%',
  '192.0.2.1%eth0',
];
it.each(NO_ADDRESSES)('%j is no address, for anybody', (text) => {
  expect([ipAddress(text), addressOfNode(text), placeOf(text)]).toEqual([undefined, undefined, undefined]);
});

it.each([
  ['192.0.2.1:80', '192.0.2.1'],
  ['192.0.2.1:_port', '192.0.2.1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['[::ffff:192.0.2.1]:443', '192.0.2.1'],
  ['[fe80::1%25eth0]:443', 'fe80::1'],
  // Not the port 80: brackets stand round an address with a port.
  ['2001:db8::1:80', '2001:db8::1:80'],
])('a proxy that writes %j means %j', (text, address) => expect(addressOfNode(text)).toBe(address));

it.each([
  '[192.0.2.1',
  '192.0.2.1]',
  '[]',
  '[]:80',
  '192.0.2.1:',
  '192.0.2.1:123456',
  '[2001:db8::1]80',
  ':80',
])('a proxy that writes %j means no address', (text) => expect(addressOfNode(text)).toBeUndefined());

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['64:ff9b::192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:0002::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%j counts as the place %j', (address, place) => expect(placeOf(address)).toBe(place));

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['fd00::/8', 'fd12::1%eth0', true],
    ['fd00::/8', '10.0.0.1', false],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::1', '::1', true],
    ['::/1', '10.0.0.1', false],
  ])('%s has %s: %s', (network, text, within) => {
    expect(new Networks(['203.0.113.0/24', network]).has(ipAddress(text) as string)).toBe(within);
  });

  it.each([
    ...NO_ADDRESSES.filter((text) => !text.includes('/24')),
    '10.0.0.0/',
    '10.0.0.0/33',
    'fd00::/129',
    '::ffff:10.0.0.0/8',
  ])('takes none from %j', (text) => expect(() => new Networks([text])).toThrow(RangeError));

  it.each(['0.0.0.0/0', '::/0', '::ffff:0:0/96', '64:ff9b::/96'])(
    'takes none from %s, which is everybody',
    (text) => {
      expect(() => new Networks([text])).toThrow('everybody');
    },
  );
});

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();

it('reads what it has written, in whatever way a proxy writes it', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), fc.integer({ min: 0, max: 65_535 }), (text, port) => {
      const address = ipAddress(text);
      // fast-check also makes the forms that no socket shows, such as IPv4 within an address of another kind.
      if (address === undefined) throw new Error(`${text} is an address`);
      expect(ipAddress(address)).toBe(address);
      expect(placeOf(text)).toBe(placeOf(address));
      const v6 = text.includes(':');
      const forms = v6 ? [text, `[${text}]`, `[${text}]:${port}`, `${text}%eth0`] : [text, `${text}:${port}`];
      if (!v6) forms.push(`::ffff:${text}`, `[::ffff:${text}]:${port}`, `64:ff9b::${text}`);
      for (const form of forms) expect(addressOfNode(form)).toBe(address);
    }),
  );
});

it('makes an address of no other text', () => {
  const near = fc.string({ unit: fc.constantFrom(...'0123456789abcdefx.:[]%/" _'), maxLength: 24 });
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: 'binary' })), (text) => {
      const address = addressOfNode(text);
      if (address !== undefined) expect(ipAddress(address)).toBe(address);
    }),
    { numRuns: 1_000 },
  );
});
