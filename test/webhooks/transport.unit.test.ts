import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { httpWebhooks } from '../../src/adapters/webhooks/http.js';
import { isPublic, Networks } from '../../src/ipAddress.js';

let server: Server;
let requests: { method: string; url: string; host: string; body: string }[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, host: headers.host ?? '', body });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
  answer = (_request, response) => void response.writeHead(204).end();
});

const port = (): number => (server.address() as AddressInfo).port;
const LOOPBACK = new Networks(['127.0.0.0/8']);
const send = (url: string, options: Partial<Parameters<typeof httpWebhooks>[0]> = {}) =>
  httpWebhooks({ allowed: LOOPBACK, ...options }).post(
    { url, headers: { 'x-one': '1' }, body: '{"é":1}' },
    new AbortController().signal,
  );

describe('sending a webhook', () => {
  it('posts the body and gives the status of the answer', async () => {
    await expect(send(`http://127.0.0.1:${port()}/hook?a=1`)).resolves.toEqual({ status: 204 });
    expect(requests).toEqual([
      { method: 'POST', url: '/hook?a=1', host: `127.0.0.1:${port()}`, body: '{"é":1}' },
    ]);
  });

  it('never follows a redirect', async () => {
    answer = (_request, response) =>
      void response.writeHead(307, { location: `http://127.0.0.1:${port()}/other` }).end();
    await expect(send(`http://127.0.0.1:${port()}/hook`)).resolves.toEqual({ status: 307 });
    expect(requests.map(({ url }) => url)).toEqual(['/hook']);
  });

  it.each([
    ['http://127.0.0.1:PORT/', 'this machine'],
    ['http://[::ffff:127.0.0.1]:PORT/', 'this machine in IPv6'],
    ['http://2130706433:PORT/', 'this machine as a number'],
    ['http://0x7f.1:PORT/', 'this machine in hexadecimal'],
    ['https://[::1]:PORT/', 'this machine in IPv6'],
    ['https://0.0.0.0:PORT/', 'any address of this machine'],
    ['https://169.254.169.254/latest/meta-data/', 'the metadata of a cloud'],
    ['https://[fd00:ec2::254]/', 'the metadata of a cloud in IPv6'],
    ['https://10.1.2.3/', 'a private network'],
    ['https://[fe80::1]/', 'a link'],
  ])('does not connect to %s: %s', async (url) => {
    await expect(
      send(url.replace('PORT', String(port())), { allowed: undefined, timeoutMs: 60_000 }),
    ).resolves.toEqual({ failure: 'ADDRESS_NOT_ALLOWED' });
    expect(requests).toEqual([]);
  });

  it('does not connect where one of several addresses of a name is private', async () => {
    const resolve = () =>
      Promise.resolve([
        { address: '93.184.216.34', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ]);
    await expect(send('https://mixed.example/', { resolve })).resolves.toEqual({
      failure: 'ADDRESS_NOT_ALLOWED',
    });
  });

  it('resolves a name once and connects to what was checked, whatever the name says a moment later', async () => {
    let asked = 0;
    // The second answer, which nobody must ask for, would be refused by the network.
    const resolve = () =>
      Promise.resolve([{ address: ++asked === 1 ? '127.0.0.1' : '127.0.0.9', family: 4 }]);
    await expect(send(`http://rebinding.example:${port()}/`, { resolve })).resolves.toEqual({ status: 204 });
    expect(asked).toBe(1);
    expect(requests.map(({ host }) => host)).toEqual([`rebinding.example:${port()}`]);
  });

  it('sends nothing over plain HTTP to a public address', async () => {
    const resolve = () => Promise.resolve([{ address: '93.184.216.34', family: 4 }]);
    await expect(send('http://plain.example/', { resolve, timeoutMs: 60_000 })).resolves.toEqual({
      failure: 'ADDRESS_NOT_ALLOWED',
    });
  });

  it('gives up on a receiver that does not answer, that goes on for ever, and on a name that does', async () => {
    answer = () => undefined;
    await expect(send(`http://127.0.0.1:${port()}/`, { timeoutMs: 50 })).resolves.toEqual({
      failure: 'TIMED_OUT',
    });
    answer = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 5);
      response.on('close', () => clearInterval(drip));
    };
    await expect(send(`http://127.0.0.1:${port()}/`, { timeoutMs: 50 })).resolves.toEqual({
      failure: 'TIMED_OUT',
    });
    const resolve = () => new Promise<never>(() => undefined);
    await expect(send('http://silent.example/', { resolve, timeoutMs: 50 })).resolves.toEqual({
      failure: 'TIMED_OUT',
    });
  });

  const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  it.each([
    ['switches protocols', `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}`, { status: 101 }],
    ['switches protocols and goes on', `HTTP/1.1 101 X\r\n${UPGRADE}${'.'.repeat(100_000)}`, { status: 101 }],
    ['only announces an answer', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(3), { failure: 'TIMED_OUT' }],
    ['sends half an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n.', { failure: 'TIMED_OUT' }],
    ['speaks something else', 'SSH-2.0-OpenSSH_9.6\r\n', { failure: 'CONNECTION_FAILED' }],
  ])('comes to an end with a receiver that %s, and leaves it', async (_what, text, result) => {
    let left = (): void => undefined;
    const gone = new Promise<void>((resolve) => (left = resolve));
    const raw = createTcpServer((socket: Socket) => {
      socket.on('error', () => undefined);
      socket.on('close', left);
      // Never ended from here.
      socket.once('data', () => socket.write(text));
    });
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(raw.address() as AddressInfo).port}/`;
    // Those that must not need it have all the time.
    const timeoutMs = 'failure' in result && result.failure === 'TIMED_OUT' ? 200 : 60_000;
    await expect(send(url, { timeoutMs })).resolves.toEqual(result);
    await gone;
    await new Promise((resolve) => raw.close(resolve));
  });

  it('reads no more of an answer than it has to', async () => {
    let written = 0;
    answer = (_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) written += 64 * 1024;
      };
      response.on('drain', more);
      more();
    };
    await expect(send(`http://127.0.0.1:${port()}/`)).resolves.toEqual({ status: 200 });
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  it('says why there was no answer without telling what is there', async () => {
    const unknown = () => Promise.reject(new Error('ENOTFOUND'));
    await expect(send('https://nowhere.example/', { resolve: unknown })).resolves.toEqual({
      failure: 'NAME_NOT_RESOLVED',
    });
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const free = (closed.address() as AddressInfo).port;
    await new Promise((resolve) => closed.close(resolve));
    await expect(send(`http://127.0.0.1:${free}/`)).resolves.toEqual({ failure: 'CONNECTION_FAILED' });
    await expect(send(`https://127.0.0.1:${port()}/`)).resolves.toEqual({ failure: 'TLS_FAILED' });
    await expect(send('ftp://127.0.0.1/')).resolves.toEqual({ failure: 'URL_NOT_ALLOWED' });
  });
});

describe('a public address', () => {
  it.each(['8.8.8.8', '93.184.216.34', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::200e'])(
    'is %s',
    (address) => expect(isPublic(address)).toBe(true),
  );
  it.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '64:ff9b:1::7f00:1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
  ])('is not %s', (address) => expect(isPublic(address)).toBe(false));
});
