import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { smtp } from '../../src/adapters/mail/smtp.js';
import { MailRefused } from '../../src/mail/transport.js';

const mail = {
  messageId: '<m1@example.com>',
  to: 'ada@example.com',
  subject: 'Grüße',
  text: 'the text',
  html: '<p>the html</p>',
  date: new Date('2026-11-22T12:00:00Z'),
};

let server: Server;
let received: string[];
/** The server's answer to RCPT TO. */
let toRecipient: string;

/** As much of an SMTP server (RFC 5321) as a client needs that sends one mail. */
beforeEach(async () => {
  received = [];
  toRecipient = '250 ok';
  server = createServer((socket) => {
    let data: string | undefined;
    let buffered = '';
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.write('220 test\r\n');
    socket.on('data', (chunk: string) => {
      buffered += chunk;
      for (let end = buffered.indexOf('\r\n'); end >= 0; end = buffered.indexOf('\r\n')) {
        const line = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        if (data !== undefined) {
          if (line !== '.') data += `${line}\n`;
          else {
            received.push(data);
            data = undefined;
            socket.write('250 stored\r\n');
          }
        } else if (line === 'DATA') {
          data = '';
          socket.write('354 go on\r\n');
        } else {
          socket.write(`${line.startsWith('RCPT') ? toRecipient : '250 ok'}\r\n`);
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const transport = () =>
  smtp(`smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, 'Shop <shop@example.com>');

it('hands the mail to the server, in text and HTML, under its Message-ID', async () => {
  await transport().send(mail);
  expect(received).toHaveLength(1);
  for (const part of [
    'From: Shop <shop@example.com>',
    'To: ada@example.com',
    'Message-ID: <m1@example.com>',
    'Date: Sun, 22 Nov 2026 12:00:00 +0000',
    'Auto-Submitted: auto-generated',
    'the text',
    '<p>the html</p>',
  ]) {
    expect(received[0]).toContain(part);
  }
});

it('says of a recipient that the server refuses for good that it is refused', async () => {
  toRecipient = '550 no such user';
  await expect(transport().send(mail)).rejects.toBeInstanceOf(MailRefused);
});

it('says of everything else that it may work later, and never who the mail was for', async () => {
  toRecipient = '450 ada@example.com: come back later';
  const failed = await transport()
    .send(mail)
    .catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(Error);
  expect(failed).not.toBeInstanceOf(MailRefused);
  expect(String(failed)).not.toContain('ada@');
  const nowhere = smtp('smtp://127.0.0.1:1', 'shop@example.com');
  await expect(nowhere.send(mail)).rejects.not.toBeInstanceOf(MailRefused);
});
