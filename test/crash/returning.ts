import { shownId } from '../../src/graphql/kit/ids.js';
import type { IssuedKey, Traffic } from './traffic.js';

/** Clients that come back after an outage: what it interrupted is sent again, what it acknowledged must stand. */
export class Returning {
  #registrations = 0;
  /** Keys met again since they were issued, and since they were revoked. */
  readonly #issued = new Set<IssuedKey>();
  readonly #revoked = new Set<IssuedKey>();

  constructor(
    private readonly traffic: Traffic,
    private readonly random: () => number,
  ) {}

  /** Meets what is new since the last time. */
  async meetAgain(url: string): Promise<void> {
    const { traffic } = this;
    for (const registration of traffic.registrations.slice(this.#registrations)) {
      const { outcome, userId } = registration;
      // A client that lost its answer sends the same command, or starts over with another one.
      const again = outcome === 'acknowledged' || this.random() < 0.5;
      const { payload, reply } = await traffic.register(
        url,
        registration,
        again ? registration.commandId : `${registration.commandId}_other`,
      );
      if (outcome === 'acknowledged') {
        expect(payload).toMatchObject({ session: null, user: { id: shownId('User', userId as string) } });
      } else if (again) {
        expect(reply).toMatchObject({
          codes: [],
          data: { registerUser: { __typename: 'RegisterUserPayload' } },
        });
      } else {
        expect(payload?.code ?? 'registered').toMatch(/^(EMAIL_TAKEN|registered)$/);
      }
    }
    for (const key of traffic.keys) {
      if (this.#issued.has(key) && (!key.revocation || this.#revoked.has(key))) continue;
      const { outcome, secret, id } = key;
      if (secret !== undefined) {
        const called = await traffic.call(url, secret);
        if (key.revocation?.outcome === 'acknowledged') expect(called?.codes).toEqual(['KEY_REVOKED']);
        else if (!key.revocation) expect(called?.status).toBe(200);
      }
      const { payload, reply } = await traffic.issue(url, key);
      expect(reply).toMatchObject({ codes: [], data: { issueKey: { __typename: 'IssueKeyPayload' } } });
      if (outcome === 'acknowledged')
        expect(payload).toMatchObject({ secret: null, key: { id: shownId('Key', id as string) } });
      this.#issued.add(key);
      if (key.revocation) {
        this.#revoked.add(key);
        const revoked = await traffic.revoke(url, key);
        expect(revoked.reply).toMatchObject({
          codes: [],
          data: { revokeKey: { __typename: 'RevokeKeyPayload' } },
        });
        if (key.secret !== undefined) {
          expect((await traffic.call(url, key.secret))?.codes).toEqual(['KEY_REVOKED']);
        }
      }
    }
    this.#registrations = traffic.registrations.length;
  }
}
