import fc from 'fast-check';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { mintSecret, signedHeaders } from '../../src/webhooks/signature.js';

const AT = (): number => Date.now();

describe('the signature of a webhook', () => {
  it('is what an independent implementation of Standard Webhooks verifies, whatever the body', () => {
    fc.assert(
      fc.property(fc.json(), fc.uuid(), (body, id) => {
        const secret = mintSecret();
        const headers = signedHeaders(id, AT(), body, [secret]);
        expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
      }),
      { numRuns: 50 },
    );
  });

  it('is verified with either secret while one replaces the other, and with no third', () => {
    const [before, after, other] = [mintSecret(), mintSecret(), mintSecret()];
    const headers = signedHeaders('id', AT(), '{}', [after, before]);
    expect(new Webhook(before).verify('{}', headers)).toEqual({});
    expect(new Webhook(after).verify('{}', headers)).toEqual({});
    expect(() => new Webhook(other).verify('{}', headers)).toThrow(WebhookVerificationError);
  });

  it('covers body, id and time', () => {
    const secret = mintSecret();
    const headers = signedHeaders('id', AT(), '{"a":1}', [secret]);
    const verify = (body: string, changed: object) => () =>
      new Webhook(secret).verify(body, { ...headers, ...changed });
    expect(verify('{"a":2}', {})).toThrow(WebhookVerificationError);
    expect(verify('{"a":1}', { 'webhook-id': 'other' })).toThrow(WebhookVerificationError);
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(verify('{"a":1}', { 'webhook-timestamp': later })).toThrow(WebhookVerificationError);
  });
});
