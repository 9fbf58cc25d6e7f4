import fc from 'fast-check';
import { contentOf, escapeHtml } from '../../src/mail/templates.js';

const filling = {
  product: 'Pattern library',
  name: 'Ada',
  token: 'the.token',
  expiresAt: new Date('2026-11-29T12:00:00Z'),
};

it('the mail that asks for the e-mail to be confirmed has the token in text and HTML', () => {
  const { subject, text, html } = contentOf('verify-email', filling);
  expect(subject).toBe('Pattern library: confirm your e-mail');
  for (const body of [text, html]) {
    expect(body).toContain('Hello Ada,');
    expect(body).toContain('the.token');
    expect(body).toContain('Sun, 29 Nov 2026 12:00:00 GMT');
  }
  expect(contentOf('verify-email', { ...filling, name: '' }).text).toMatch(/^Hello,\n/);
});

it.each([
  ['reset-password', 'resetPassword'],
  ['change-email', 'confirmEmailChange'],
] as const)('the mail %s has the token, its mutation and its end in text and HTML', (kind, mutation) => {
  const { text, html } = contentOf(kind, filling);
  for (const body of [text, html]) {
    for (const part of ['the.token', mutation, 'Sun, 29 Nov 2026 12:00:00 GMT']) expect(body).toContain(part);
  }
});

it('the notice of a changed e-mail has no token', () => {
  const { subject, text, html } = contentOf('email-changed', filling);
  expect(subject).toBe('Pattern library: your e-mail was changed');
  for (const body of [text, html]) expect(body).not.toContain('the.token');
});

it('a name is shown as it is, and never as markup or as another header', () => {
  const name = '<img src=x onerror="a()">\r\nBcc: all@example.com';
  const { subject, html, text } = contentOf('verify-email', { ...filling, name, product: name });
  expect(html).not.toContain('<img');
  expect(html).toContain('&lt;img src=x onerror=&quot;a()&quot;&gt; Bcc: all@example.com');
  expect(subject).not.toMatch(/[\r\n]/);
  expect(text).not.toMatch(/^Bcc/m);
});

it('escaped text has no character that means something in HTML', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
    }),
  );
});
