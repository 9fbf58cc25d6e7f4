import { randomInt } from 'node:crypto';
import type { Clock } from '../clock.js';
import { byPolicy } from '../eventsourcing/policy.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { PublicEvent } from '../eventsourcing/publicEvents.js';
import type { Delivery, Outbox } from '../outgoing/outbox.js';
import { DELIVERED, EXHAUSTED } from '../outgoing/outbox.js';
import type { Carried, Carrier } from '../outgoing/worker.js';
import type { PersonalData } from '../secrets/personalData.js';
import type { Endpoint } from './decide.js';
import { deliveryDecider, endpointDecider, signing } from './decide.js';
import type { About } from './deliveries.js';
import { bodyOf, isTest, WEBHOOK } from './deliveries.js';
import { deliveryStream, endpointStream } from './events.js';
import { signedHeaders } from './signature.js';
import type { WebhookTransport } from './transport.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/** Waits between attempts, in milliseconds: eleven attempts over three days. */
export const WAITS = [
  5 * SECOND,
  MINUTE,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  8 * HOUR,
  12 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;
/** Up to a tenth later each time: what failed together does not come back together. */
const JITTER = 0.1;

const NAME = 'deliver-webhooks';

export interface WebhookCarrierOptions {
  readonly commands: CommandHandler;
  readonly personal: PersonalData;
  readonly outbox: Outbox;
  readonly transport: WebhookTransport;
  /** By their public types. */
  readonly publicEvents: ReadonlyMap<string, PublicEvent>;
  readonly clock: Clock;
  /** Names the product to receivers. */
  readonly userAgent: string;
}

/** Delivers webhooks, and disables endpoints to which nothing can be delivered. */
export class WebhookCarrier implements Carrier {
  readonly longestWaitMs = Math.max(...WAITS) * (1 + JITTER);

  constructor(private readonly options: WebhookCarrierOptions) {}

  retryMs(delivery: Delivery, attempts: number): number | undefined {
    const wait = WAITS[attempts - 1];
    // Whoever asks for a test looks at what comes of it now.
    if (wait === undefined || isTest(delivery)) return undefined;
    return wait + randomInt(Math.floor(wait * JITTER));
  }

  async carry(delivery: Delivery, stop: AbortSignal): Promise<Carried> {
    const { commands, transport, publicEvents, clock, userAgent } = this.options;
    const about = delivery.about as About;
    const ended = fold(deliveryDecider, await commands.load(deliveryStream(delivery.id)));
    // A crash came between the event and the row.
    if (ended.round >= delivery.round) return { kind: 'ended', outcome: ended.outcome ?? DELIVERED };
    const { endpoint } = fold(endpointDecider, await commands.load(endpointStream(delivery.lane)));
    if (!endpoint) return { kind: 'ended', outcome: 'ENDPOINT_DELETED' };
    if (!endpoint.enabled) return { kind: 'ended', outcome: 'ENDPOINT_DISABLED' };
    const now = clock();
    const opened = await this.#open(endpoint, new Date(now));
    if (!opened) return { kind: 'ended', outcome: 'ENDPOINT_DELETED' };
    const history = 'stream' in about ? (await commands.load(about.stream)).slice(0, about.revision + 1) : [];
    const body = bodyOf(about, history, publicEvents.get(about.type));
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': userAgent,
      ...signedHeaders(delivery.id, now, body, opened.secrets),
    };
    const answer = await transport.post({ url: opened.url, headers, body }, stop);
    if ('failure' in answer) return { kind: 'failed', failure: answer.failure };
    const { status } = answer;
    if (status >= 200 && status < 300) return { kind: 'delivered', status };
    return { kind: 'failed', failure: 'STATUS', status, ...(status === 410 && { outcome: 'GONE' }) };
  }

  async end(delivery: Delivery, outcome: string, attempts: number): Promise<void> {
    const { commands } = this.options;
    const { id, lane: endpointId, round } = delivery;
    const { accountId, type: eventType } = delivery.about as About;
    const told = { endpointId, accountId, eventType, round, attempts };
    const reason = outcome === DELIVERED ? undefined : outcome;
    // First, so that a crash in between leaves the delivery to be ended again.
    await this.#disable(delivery, outcome);
    await commands.handle(
      deliveryDecider,
      deliveryStream(id),
      { type: 'EndWebhookDelivery', told, reason },
      this.#context(delivery, `${id}:${round}`),
    );
  }

  /** Disables an endpoint that is gone, or that has received nothing since this delivery was asked for. */
  async #disable(delivery: Delivery, outcome: string): Promise<void> {
    const { commands, outbox } = this.options;
    const { lane, beganAt } = delivery;
    const gone = outcome === 'GONE';
    if (!gone && (outcome !== EXHAUSTED || isTest(delivery))) return;
    if (!gone && (await outbox.deliveredSince(WEBHOOK, lane, beganAt))) return;
    const history = await commands.load(endpointStream(lane));
    // Somebody has seen to it meanwhile: the address is another, or it was enabled again.
    const changed = history.findLast(({ type }) => type === 'WebhookEndpointUpdated')?.metadata.at;
    if (!gone && changed !== undefined && Date.parse(changed) > beganAt.getTime()) return;
    await commands.handle(
      endpointDecider,
      endpointStream(lane),
      { type: 'DisableWebhookEndpoint', reason: gone ? 'GONE' : 'FAILING' },
      this.#context(delivery, `disable:${delivery.id}:${delivery.round}`),
    );
  }

  /** @returns undefined once it has been erased */
  async #open(
    endpoint: Endpoint,
    now: Date,
  ): Promise<{ readonly url: string; readonly secrets: readonly string[] } | undefined> {
    const sealed = [endpoint.url, ...signing(endpoint, now).map((secret) => secret.sealed)];
    const texts: string[] = [];
    for (const text of await this.options.personal.unsealAll(sealed)) {
      if (text instanceof Error) throw text;
      if (text === null) return undefined;
      texts.push(text);
    }
    const [url = '', ...secrets] = texts;
    return { url, secrets };
  }

  #context({ id }: Delivery, commandId: string) {
    return byPolicy(NAME, commandId, { at: this.options.clock(), about: id });
  }
}
