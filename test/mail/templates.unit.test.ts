import fc from 'fast-check';
import type { MailKind } from '../../src/mail/events.js';
import { contentOf, TEMPLATES } from '../../src/mail/templates.js';
import { escapeHtml } from '../../src/text/html.js';

const filling = {
  product: 'Pattern library',
  token: 'the.token',
  expiresAt: new Date('2026-11-29T12:00:00Z'),
};

/** The mutation that each token is for; a notice has none. */
const MUTATIONS: Readonly<Record<MailKind, string | undefined>> = {
  'verify-email': 'verifyEmail',
  'invite-member': 'acceptInvitation',
  'reset-password': 'resetPassword',
  'change-email': 'confirmEmailChange',
  'email-changed': undefined,
  'webhook-disabled': undefined,
  'trial-ending': undefined,
  'trial-refused': undefined,
  'duplicate-ended': undefined,
  'payment-failed': undefined,
  'grace-ending': undefined,
  'plan-suspended': undefined,
  'plan-restored': undefined,
  'daily-report': undefined,
  'dispute-opened': undefined,
  'dispute-won': undefined,
  'dispute-lost': undefined,
  'inquiry-opened': undefined,
  'refund-failed': undefined,
  'invite-user': undefined,
  'user-imported': undefined,
  'analysis-ended': undefined,
  'usage-threshold': undefined,
};
/** Notices that say until when something is so. */
const DATED: ReadonlySet<MailKind> = new Set(['trial-ending', 'payment-failed', 'grace-ending']);

describe.each(Object.keys(TEMPLATES) as MailKind[])('the mail %s', (kind) => {
  it('has the token, its mutation and its end in text and HTML', () => {
    const { subject, text, html } = contentOf(kind, filling);
    const mutation = MUTATIONS[kind];
    expect(subject).toMatch(/^Pattern library: \w/);
    for (const body of [text, html]) {
      expect(body).toContain('Hello,');
      for (const part of ['the.token', mutation ?? 'mutation']) {
        expect([part, body.includes(part)]).toEqual([part, mutation !== undefined]);
      }
      const hasEnd = mutation !== undefined || DATED.has(kind);
      expect(body.includes('Sun, 29 Nov 2026 12:00:00 GMT')).toBe(hasEnd);
    }
  });

  it('takes nothing but the product, the token and its end', () => {
    // Whatever else a caller of the template might have at hand, a name for one, is left out.
    const more = new Proxy({ ...filling, name: 'https://evil.example' }, {});
    expect(contentOf(kind, more)).toEqual(contentOf(kind, filling));
    expect(
      contentOf(kind, { ...filling, product: 'P', token: 'T' }).text.replaceAll(/\b[PT]\b/g, ''),
    ).not.toMatch(/https?:|www\.|undefined/);
  });

  it('shows the product as it is, and never as markup or as another header', () => {
    const product = '<img src=x onerror="a()">\r\nBcc: all@example.com';
    const { subject, html, text } = contentOf(kind, { ...filling, product });
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;img src=x onerror=&quot;a()&quot;&gt; Bcc: all@example.com');
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text).not.toMatch(/^Bcc/m);
  });
});

it('the mail of an analysis leads to its report', () => {
  const link = 'https://shop.example/v1/analyses/1/result?as=pdf&token=a.b';
  const { text, html } = contentOf('analysis-ended', { ...filling, link });
  expect(text).toContain(`\n\n${link}\n\n`);
  expect(html).toContain(`<a href="${escapeHtml(link)}">${escapeHtml(link)}</a>`);
});

it('escaped text has no character that means something in HTML', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
    }),
  );
});
