import { randomBytes } from 'node:crypto';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { START } from '../../src/eventsourcing/event.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Collector, SentSpan } from './collector.js';
import { openCollector } from './collector.js';

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;

const SLOW_MS = 240_000;
const PASSWORD = 'correct horse';

interface Caller {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceparent: string;
}

function caller(sampled = true): Caller {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-0${sampled ? 1 : 0}` };
}

const traceparentOf = ({ traceId, spanId }: SentSpan): string => `00-${traceId}-${spanId}-01`;

async function post(t: TestApp, query: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return response.text();
}

const registration = (email: string): string =>
  `mutation SignUp { registerUser(input: {email: "${email}", password: "${PASSWORD}", name: "Ada Lovelace"}) {
    ... on RegisterUserPayload { session { sessionToken } } } }`;

async function everything(t: TestApp): Promise<StoredEvent[]> {
  const { store, projector } = t.app.parts;
  await projector.allReached(await store.head(), SLOW_MS);
  return store.readAll(START, 1_000, 10_000_000);
}

describe('with a collector', () => {
  let collector: Collector;
  let spans: SentSpan[];
  let events: StoredEvent[];
  const signUp = caller();
  const reading = caller();
  const address = '203.0.113.77';
  const email = 'ada.lovelace@example.com';
  let secrets: string[];

  beforeAll(async () => {
    collector = await openCollector();
    const t = await startApp({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, OTEL_SERVICE_NAME: 'shop' },
    });
    const { secret } = await t.customer();
    const answer = await post(t, registration(email), {
      traceparent: signUp.traceparent,
      'x-forwarded-for': address,
    });
    const [token = ''] = /eyJ[^"]+/.exec(answer) ?? [];
    await post(t, 'query Look { patterns(first: 1) { nodes { slug } } }', {
      traceparent: reading.traceparent,
      'x-api-key': secret,
      'x-forwarded-for': address,
    });
    await post(t, 'query Broken { patterns(first: "x") { nodes { slug } } }', { 'x-api-key': secret });
    await fetch(`${t.app.url}/${secret}?key=${secret}`);
    for (const path of ['/health', '/health/live', '/metrics']) await fetch(t.app.url + path);
    secrets = [
      secret,
      token,
      email,
      'Ada',
      'Lovelace',
      PASSWORD,
      address,
      '127.0.0.1',
      'sessionToken',
      'slug',
    ];
    events = await everything(t);
    await t.close();
    spans = collector.spans();
  });
  afterAll(() => collector.close());

  const span = (name: string, by: (span: SentSpan) => boolean = () => true): SentSpan => {
    const found = spans.filter((candidate) => candidate.name === name && by(candidate));
    if (!found[0]) throw new Error(`no span "${name}" among ${spans.map((s) => s.name).join(', ')}`);
    return found[0];
  };
  const inTrace =
    ({ traceId }: Caller) =>
    (candidate: SentSpan): boolean =>
      candidate.traceId === traceId;
  const eventOf = (type: string, cause: Caller): StoredEvent => {
    const found = events.find(
      (event) => event.type === type && event.metadata.traceparent?.includes(cause.traceId),
    );
    if (!found) throw new Error(`no ${type} of this trace`);
    return found;
  };

  it('a request belongs to the trace of its caller, with the operation and the append inside it', () => {
    const request = span('POST /graphql', inTrace(signUp));
    expect(request).toMatchObject({ kind: SERVER, parentSpanId: signUp.spanId, failed: false });
    expect(request.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
      'url.scheme': 'http',
    });
    const operation = span('mutation', inTrace(signUp));
    expect(operation).toMatchObject({ kind: SERVER, parentSpanId: request.spanId, failed: false });
    expect(operation.attributes).toEqual({
      'graphql.operation.type': 'mutation',
      'graphql.operation.name': 'SignUp',
    });
    const append = span('append email', inTrace(signUp));
    expect(append).toMatchObject({ kind: CLIENT, parentSpanId: operation.spanId });
    expect(append.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.operation.name': 'append',
      'db.collection.name': 'email',
      'db.operation.batch.size': 1,
    });
  });

  it('the event says in which span it was made, and the policy that acts on it stays in the trace', () => {
    const registered = eventOf('EmailRegistered', signUp).metadata.traceparent as string;
    expect(registered).toBe(traceparentOf(span('mutation', inTrace(signUp))));
    const reaction = span('process open-account', inTrace(signUp));
    expect(reaction).toMatchObject({ kind: CONSUMER, links: [registered] });
    expect(span('append account', inTrace(signUp)).parentSpanId).toBe(reaction.spanId);
    expect(eventOf('AccountOpened', signUp).metadata.traceparent).toBe(traceparentOf(reaction));
  });

  it('the batch of the projection that applied an event is linked to the span that made it', () => {
    const cause = eventOf('AccountOpened', signUp).metadata.traceparent as string;
    const batch = span('process accounts', ({ links }) => links.includes(cause));
    expect(batch.kind).toBe(CONSUMER);
    expect(batch.attributes).toMatchObject({
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'project',
      'messaging.consumer.group.name': 'accounts',
    });
    const write = span('TRANSACTION', ({ parentSpanId }) => parentSpanId === batch.spanId);
    expect(write.kind).toBe(CLIENT);
  });

  it('a batch of the journal is linked to its calls, and what counts them to the batch', () => {
    const operation = span('query', inTrace(reading));
    const flush = span('publish usage', ({ links }) => links.includes(traceparentOf(operation)));
    expect(flush).toMatchObject({ kind: PRODUCER, attributes: { 'messaging.operation.type': 'send' } });
    expect(span('append usage', ({ parentSpanId }) => parentSpanId === flush.spanId).kind).toBe(CLIENT);
    expect(events.map(({ type, metadata }) => `${type} ${metadata.traceparent}`)).toContain(
      `UsesRecorded ${traceparentOf(flush)}`,
    );
    const counted = span('process usage', ({ links }) => links.includes(traceparentOf(flush)));
    expect(counted.kind).toBe(CONSUMER);
  });

  it('a request without a trace begins one; what balancers ask begins none', () => {
    expect(span('GET').parentSpanId).toBeUndefined();
    expect(span('GET').attributes['http.response.status_code']).toBe(404);
    expect(spans.filter(({ name }) => /health|metrics/.test(name))).toEqual([]);
    // A mistake of the caller's is no failure of ours.
    expect(spans.filter(({ failed }) => failed)).toEqual([]);
  });

  it('no secret, no personal data and no text of a query is sent', () => {
    const sent = collector.bodies.join('\n');
    expect(sent).toContain('SignUp');
    expect(secrets.filter((text) => sent.includes(text))).toEqual([]);
  });

  it('says which service it is', () => {
    expect(collector.resource()).toMatchObject({ 'service.name': 'shop' });
    expect(collector.resource()['service.instance.id']).toMatch(/^[a-z0-9]+$/);
  });
});

it('records nothing that the sampler leaves out, and whatever its caller records', async () => {
  const collector = await openCollector();
  const t = await startApp({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER: 'parentbased_always_off' },
  });
  const recorded = caller();
  const unrecorded = caller(false);
  await post(t, registration('a@example.com'), {});
  await post(t, registration('b@example.com'), { traceparent: unrecorded.traceparent });
  await post(t, registration('c@example.com'), { traceparent: recorded.traceparent });
  const events = await everything(t);
  await t.close();
  await collector.close();

  const traces = events.flatMap(({ metadata }) => metadata.traceparent?.split('-')[1] ?? []);
  expect(new Set(traces)).toEqual(new Set([recorded.traceId]));
  expect(new Set(collector.spans().map(({ traceId }) => traceId))).toEqual(new Set([recorded.traceId]));
});

it('without a collector neither follows a trace nor stores one', async () => {
  const t = await startApp();
  const { secret } = await t.customer();
  await post(t, '{ patterns(first: 1) { nodes { slug } } }', {
    traceparent: caller().traceparent,
    'x-api-key': secret,
  });
  await post(t, registration('d@example.com'), { traceparent: caller().traceparent });
  const events = await everything(t);
  await t.close();
  expect(events.length).toBeGreaterThan(5);
  expect(events.filter(({ metadataText }) => metadataText.includes('traceparent'))).toEqual([]);
});

it('serves and stops as usual while the collector is not there', async () => {
  const collector = await openCollector();
  await collector.close();
  const t = await startApp({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  const { accountId } = await t.register();
  expect(accountId).toBeDefined();
  await t.close();
});
