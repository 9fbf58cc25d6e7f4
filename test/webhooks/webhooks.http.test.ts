import { Webhook } from 'standardwebhooks';
import {
  CreateWebhookEndpointDocument,
  DeleteWebhookEndpointDocument,
  ReplayWebhookDeliveriesDocument,
  RevokeKeyDocument,
  RotateWebhookSecretDocument,
  TestWebhookEndpointDocument,
  UpdateWebhookEndpointDocument,
  WebhookEndpointsDocument,
} from '../generated/graphql.js';
import type { CreateWebhookEndpointInput } from '../generated/graphql.js';
import { shownId } from '../../src/graphql/kit/ids.js';
import { allEvents } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Received, Receiver } from './receiver.js';
import { startReceiver } from './receiver.js';
import { until } from '../support/until.js';

let t: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  t = await startApp({ env: { WEBHOOK_NETWORKS: '127.0.0.0/8' } });
});
afterAll(async () => {
  await t.close();
  await receiver.close();
});

interface Payload {
  readonly type: string;
  readonly timestamp: string;
  readonly accountId: string;
  readonly sequence: number | null;
  readonly data: Record<string, unknown>;
}

/** The payload, verified by an independent implementation of the specification. */
const verified = ({ body, headers }: Received, secret: string): Payload =>
  new Webhook(secret).verify(body, headers) as Payload;

async function create(token: string, path: string, input: Partial<CreateWebhookEndpointInput> = {}) {
  const { data, errors } = await t.query(
    CreateWebhookEndpointDocument,
    { input: { url: `${receiver.url}${path}`, eventTypes: ['*'], ...input } },
    token,
  );
  const result = data?.createWebhookEndpoint;
  if (result?.__typename !== 'CreateWebhookEndpointPayload') {
    throw new Error(`createWebhookEndpoint answered ${JSON.stringify({ result, errors })}`);
  }
  return { ...result, secret: result.secret ?? '' };
}

async function endpointsOf(token: string, deliveries = 20) {
  const { data, errors } = await t.query(WebhookEndpointsDocument, { deliveries }, token);
  if (errors) throw new Error(JSON.stringify(errors));
  return data?.me?.account.webhookEndpoints?.nodes ?? [];
}

/** How many webhooks have ended so, by the metrics. */
async function ended(outcome: string): Promise<number> {
  const text = await (await fetch(`${t.app.url}/metrics`)).text();
  const series = `tollgraph_deliveries_total{kind="webhook",outcome="${outcome}"} `;
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(series))
      ?.slice(series.length) ?? 0,
  );
}

/** The log of the only endpoint, once everything in it has ended. */
async function endedLog(token: string) {
  for (let looks = 0; looks < 200; looks++) {
    const deliveries = (await endpointsOf(token))[0]?.deliveries?.nodes ?? [];
    if (deliveries.every(({ status }) => status !== 'PENDING')) return deliveries;
  }
  throw new Error('a delivery is pending still');
}

describe('webhooks', () => {
  it('tell an account what happens in it, signed, in the order of their sequence', async () => {
    const { token, accountId } = await t.customer();
    const { endpoint, secret } = await create(token, '/story', { eventTypes: ['key.issued', 'key.revoked'] });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { keyId } = await t.issueKey(token);
    await t.query(RevokeKeyDocument, { input: { keyId: keyId } }, token);
    // Not asked for.
    await t.grant(accountId, 'team');
    const received = await receiver.count('/story', 2);
    const payloads = received.map((one) => verified(one, secret));
    payloads.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
    expect(payloads.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['key.issued', 1],
      ['key.revoked', 2],
    ]);
    // As answers show them: a receiver asks for the key by this very id.
    const shown = { id: shownId('Key', keyId), accountId: shownId('Account', accountId) };
    expect(payloads[1]).toMatchObject({
      accountId: shown.accountId,
      data: { ...shown, name: 'test', environment: 'live', revokedAt: payloads[1]?.timestamp },
    });
    expect(payloads[0]).toMatchObject({ data: { id: shown.id, revokedAt: null } });
    expect(JSON.stringify(payloads)).not.toContain('hash');

    const log = await endedLog(token);
    expect(log.map(({ eventType, status }) => [eventType, status])).toEqual([
      ['key.revoked', 'DELIVERED'],
      ['key.issued', 'DELIVERED'],
    ]);
    expect(log[0]?.attempts).toMatchObject([{ status: 204, failure: null }]);
    expect(log.map(({ id }) => id).sort()).toEqual(
      received.map(({ headers }) => headers['webhook-id']).sort(),
    );
    expect(endpoint).toMatchObject({ eventTypes: ['key.issued', 'key.revoked'], status: 'ENABLED' });
    // What became of them is known for good.
    const events = (await allEvents(t.app.parts.store)).filter(({ type }) => type === 'WebhookDelivered');
    expect(events.map(({ streamId }) => streamId)).toEqual(expect.arrayContaining(log.map(({ id }) => id)));
  });

  it('can be replayed under the same id, tested, and signed with two secrets while one is replaced', async () => {
    const { token } = await t.register();
    const { endpoint, secret: first } = await create(token, '/replay');
    const input = { endpointId: endpoint.id };
    receiver.answer = ({ path }) => (path === '/replay' ? 410 : 204);
    await t.issueKey(token);
    await receiver.count('/replay', 1);
    receiver.answer = () => 204;
    const [given] = await endedLog(token);
    expect(given).toMatchObject({ status: 'GIVEN_UP', givenUpReason: 'GONE', attempts: [{ status: 410 }] });
    await until(async () => (await ended('GONE')) === 1);
    await t.caughtUp();
    const [disabled] = await endpointsOf(token);
    expect(disabled).toMatchObject({ status: 'DISABLED', disabledReason: 'GONE' });

    const enabled = await t.query(
      UpdateWebhookEndpointDocument,
      { input: { ...input, enabled: true } },
      token,
    );
    expect(enabled.data?.updateWebhookEndpoint).toMatchObject({ endpoint: { status: 'ENABLED' } });
    const rotated = await t.query(RotateWebhookSecretDocument, { input }, token);
    const second = (rotated.data?.rotateWebhookSecret as { secret?: string }).secret ?? '';
    expect(second).not.toBe(first);
    const filter = { from: '2026-01-01T00:00:00Z', eventTypes: ['key.issued'] };
    const replay = { ...input, filter, commandId: 'again' };
    for (let sent = 0; sent < 2; sent++) {
      const replayed = await t.query(ReplayWebhookDeliveriesDocument, { input: replay }, token);
      expect(replayed.data?.replayWebhookDeliveries).toMatchObject({ count: 1, more: false });
    }
    const [before, after] = (await receiver.count('/replay', 2)) as [Received, Received];
    expect(after.headers['webhook-id']).toBe(before.headers['webhook-id']);
    expect(after.body).toBe(before.body);
    for (const secret of [first, second]) expect(verified(after, secret).type).toBe('key.issued');
    expect(await endedLog(token)).toMatchObject([{ status: 'DELIVERED', attempts: [{}, {}] }]);
    // The command has done all that it asked for.
    await t.query(ReplayWebhookDeliveriesDocument, { input: replay }, token);

    const delivered = await ended('DELIVERED');
    const tested = await t.query(TestWebhookEndpointDocument, { input }, token);
    const { delivery } = tested.data?.testWebhookEndpoint as { delivery: { id: string } };
    const [, , test] = (await receiver.count('/replay', 3)) as [Received, Received, Received];
    expect(test.headers['webhook-id']).toBe(delivery.id);
    expect(verified(test, second)).toMatchObject({ type: 'webhook.test', data: {} });

    const one = { ...input, deliveryIds: [delivery.id] };
    await endedLog(token);
    await t.query(ReplayWebhookDeliveriesDocument, { input: one }, token);
    await receiver.count('/replay', 4);
    await endedLog(token);
    // Metrics leave tests out.
    await t.issueKey(token);
    await until(async () => (await ended('DELIVERED')) > delivered);
    expect(await ended('DELIVERED')).toBe(delivered + 1);

    await t.query(DeleteWebhookEndpointDocument, { input }, token);
    expect(await endpointsOf(token)).toEqual([]);
  });

  it('tell operators of all accounts, at endpoints that they share', async () => {
    const [operator, other] = [await t.register(), await t.register()];
    await t.makeOperator(operator);
    await t.makeOperator(other);
    const { secret, endpoint } = await create(operator.token, '/operators', {
      eventTypes: ['plan.changed'],
      allAccounts: true,
    });
    const customer = await t.customer('team');
    const [received] = await receiver.count('/operators', 1);
    expect(verified(received as Received, secret)).toMatchObject({
      type: 'plan.changed',
      accountId: shownId('Account', customer.accountId),
      data: { accountId: shownId('Account', customer.accountId), planId: 'team' },
    });
    const input = { endpointId: endpoint.id };
    const shared = '{ operator { webhookEndpoints { nodes { id url allAccounts } } } }';
    expect((await t.raw(shared, {}, other.token)).data).toEqual({
      operator: {
        webhookEndpoints: {
          nodes: [{ id: endpoint.id, url: `${receiver.url}/operators`, allAccounts: true }],
        },
      },
    });
    const mine = await t.query(DeleteWebhookEndpointDocument, { input }, customer.token);
    expect(mine.data?.deleteWebhookEndpoint).toMatchObject({ code: 'NOT_FOUND' });
    const theirs = await t.query(DeleteWebhookEndpointDocument, { input }, other.token);
    expect(theirs.data?.deleteWebhookEndpoint).toMatchObject({ endpointId: endpoint.id });
    const asked = await t.query(
      CreateWebhookEndpointDocument,
      { input: { url: 'https://example.com/', eventTypes: ['*'], allAccounts: true } },
      customer.token,
    );
    expect(asked.errors?.[0]?.extensions['code']).toBe('OPERATOR_REQUIRED');
  });

  it('show the secret once, and are nobody else’s', async () => {
    const [{ token }, other] = [await t.register(), await t.register()];
    const input = { url: `${receiver.url}/once`, eventTypes: ['key.issued'], commandId: 'one' };
    const made = await create(token, '/once', input);
    const again = await t.query(CreateWebhookEndpointDocument, { input }, token);
    expect(again.data?.createWebhookEndpoint).toMatchObject({
      endpoint: { id: made.endpoint.id },
      secret: null,
      replayed: true,
    });
    const changed = await t.query(
      CreateWebhookEndpointDocument,
      { input: { ...input, eventTypes: ['*'] } },
      token,
    );
    expect(changed.data?.createWebhookEndpoint).toMatchObject({ code: 'COMMAND_ID_REUSED' });
    const of = { input: { endpointId: made.endpoint.id } };
    const replay = { input: { ...of.input, filter: {} } };
    for (const answer of [
      (await t.query(UpdateWebhookEndpointDocument, of, other.token)).data?.updateWebhookEndpoint,
      (await t.query(RotateWebhookSecretDocument, of, other.token)).data?.rotateWebhookSecret,
      (await t.query(TestWebhookEndpointDocument, of, other.token)).data?.testWebhookEndpoint,
      (await t.query(ReplayWebhookDeliveriesDocument, replay, other.token)).data?.replayWebhookDeliveries,
      (await t.query(DeleteWebhookEndpointDocument, of, other.token)).data?.deleteWebhookEndpoint,
    ]) {
      expect(answer).toMatchObject({ __typename: 'NotFound', code: 'NOT_FOUND' });
    }
    expect(await endpointsOf(other.token)).toEqual([]);
    const stored = await allEvents(t.app.parts.store);
    const texts = stored.map(({ dataText }) => dataText).join('\n');
    expect(texts).not.toContain('whsec_');
    expect(texts).not.toContain('/once');
  });

  it.each([
    ['url', 'ftp://example.com/'],
    ['url', 'not a url'],
    ['url', 'https://user:pass@example.com/'],
    ['url', 'https://example.com/#part'],
    ['url', 'https://example.com:25/'],
    ['url', `https://example.com/${'a'.repeat(1_000)}`],
    ['eventTypes', 'key.unknown'],
  ])('refuse the %s %j', async (field, value) => {
    const { token } = await t.register();
    const good = { url: 'https://example.com/', eventTypes: ['*'] };
    const input = { ...good, [field]: field === 'url' ? value : [value] };
    const { data } = await t.query(CreateWebhookEndpointDocument, { input }, token);
    expect(data?.createWebhookEndpoint).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: [field] }] });
  });
});
