import type { Decider, Decision } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { textProblem } from '../text/text.js';
import type { DisabledReason, WebhookDeliveryEvent, WebhookEndpointEvent } from './events.js';
import { EVERY_TYPE } from './events.js';

/** Of one account, and of the operators together. */
export const MAX_ENDPOINTS = 20;
export const MAX_EVENT_TYPES = 100;
/** Characters. */
export const MAX_URL = 1_000;
/** Seconds that a secret may go on signing beside its successor. */
export const MAX_OVERLAP_SECONDS = 7 * 86_400;
/** Working at once. */
export const MAX_SECRETS = 3;

/** What endpoints can be like here. */
export interface EndpointRules {
  /** Whether plain HTTP will do: where operators allow addresses that are not public. */
  readonly plainHttp: boolean;
  /** Those that can be told. */
  readonly eventTypes: readonly string[];
}

/** Who asks. */
export interface Asking {
  readonly accountId: string;
  readonly operator: boolean;
  readonly by: string;
}

/** A URL as it was given, for the rules, and as events hold it. */
interface GivenUrl {
  readonly plain: string;
  readonly sealed: string;
}

export type WebhookEndpointCommand =
  | {
      readonly type: 'CreateWebhookEndpoint';
      readonly asking: Asking;
      readonly allAccounts: boolean;
      readonly url: GivenUrl;
      readonly eventTypes: readonly string[];
      readonly secret: string;
      /** How many the account has, or the operators. */
      readonly present: number;
      readonly rules: EndpointRules;
    }
  | {
      /** What is left out stays as it is. */
      readonly type: 'UpdateWebhookEndpoint';
      readonly asking: Asking;
      readonly url?: GivenUrl | undefined;
      readonly eventTypes?: readonly string[] | undefined;
      readonly enabled?: boolean | undefined;
      readonly rules: EndpointRules;
    }
  | {
      readonly type: 'RotateWebhookSecret';
      readonly asking: Asking;
      readonly secret: string;
      readonly overlapSeconds: number;
      readonly at: Date;
    }
  | { readonly type: 'DisableWebhookEndpoint'; readonly reason: DisabledReason }
  /** Without anybody who asks, its account is no more. */
  | { readonly type: 'DeleteWebhookEndpoint'; readonly asking: Asking | undefined };

/** A signing secret. */
export interface Secret {
  readonly sealed: string;
  /** When it stops signing, ISO 8601; null for the newest. */
  readonly endsAt: string | null;
}

export interface Endpoint {
  readonly accountId: string;
  readonly allAccounts: boolean;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly enabled: boolean;
  readonly disabledReason: DisabledReason | null;
  /** The newest first. */
  readonly secrets: readonly Secret[];
}

/** Undefined before it is made, and once it is deleted. */
export interface EndpointState {
  readonly endpoint: Endpoint | undefined;
}

export const endpointDecider: Decider<EndpointState, WebhookEndpointCommand, WebhookEndpointEvent> = {
  initial: { endpoint: undefined },
  evolve: ({ endpoint }, event) => ({ endpoint: evolved(endpoint, event) }),
  decide: ({ endpoint }, command) => {
    if (command.type === 'CreateWebhookEndpoint') return create(command);
    if (command.type === 'DisableWebhookEndpoint') {
      if (!endpoint?.enabled) return accept();
      const { accountId } = endpoint;
      return accept({ type: 'WebhookEndpointDisabled', data: { accountId, reason: command.reason } });
    }
    const { asking } = command;
    if (!endpoint || (asking && !isOf(endpoint, asking))) return asking ? NOT_FOUND : accept();
    const { accountId } = endpoint;
    switch (command.type) {
      case 'UpdateWebhookEndpoint':
        return update(endpoint, command);
      case 'RotateWebhookSecret':
        return rotate(endpoint, command);
      case 'DeleteWebhookEndpoint':
        return accept({
          type: 'WebhookEndpointDeleted',
          data: { accountId, by: asking?.by ?? 'policy:end-webhooks' },
        });
    }
  },
};

const NOT_FOUND = refuse('NOT_FOUND', 'There is no webhook endpoint with this id.');

/** Whether it is the caller's; another one is as good as none. */
export const isOf = (
  { allAccounts, accountId }: Pick<Endpoint, 'allAccounts' | 'accountId'>,
  asking: Pick<Asking, 'accountId' | 'operator'>,
): boolean => (allAccounts ? asking.operator : accountId === asking.accountId);

/** The secrets that sign at a time, the newest first. */
export const signing = ({ secrets }: Endpoint, at: Date): Secret[] =>
  secrets.filter(({ endsAt }) => endsAt === null || at.getTime() < Date.parse(endsAt));

function evolved(endpoint: Endpoint | undefined, { type, data }: WebhookEndpointEvent): Endpoint | undefined {
  if (type === 'WebhookEndpointCreated') {
    const { accountId, allAccounts, url, eventTypes, secret } = data;
    const secrets = [{ sealed: secret, endsAt: null }];
    return { accountId, allAccounts, url, eventTypes, enabled: true, disabledReason: null, secrets };
  }
  if (!endpoint) return undefined;
  switch (type) {
    case 'WebhookEndpointUpdated': {
      const { url, eventTypes, enabled } = data;
      const disabledReason = enabled ? null : endpoint.disabledReason;
      return { ...endpoint, url, eventTypes, enabled, disabledReason };
    }
    case 'WebhookSecretRotated': {
      const [newest, ...older] = endpoint.secrets;
      const before = newest ? [{ ...newest, endsAt: data.overlapEndsAt }] : [];
      return { ...endpoint, secrets: [{ sealed: data.secret, endsAt: null }, ...before, ...older] };
    }
    case 'WebhookEndpointDisabled':
      return { ...endpoint, enabled: false, disabledReason: data.reason };
    case 'WebhookEndpointDeleted':
      return undefined;
  }
}

type Create = Extract<WebhookEndpointCommand, { type: 'CreateWebhookEndpoint' }>;

function create(command: Create): Decision<WebhookEndpointEvent> {
  const { asking, allAccounts, url, eventTypes, secret, present, rules } = command;
  const problem = badUrl(url.plain, rules) ?? badTypes(eventTypes, rules);
  if (problem) return problem;
  if (present >= MAX_ENDPOINTS) {
    return refuse('TOO_MANY_ENDPOINTS', `At most ${MAX_ENDPOINTS} endpoints: delete one first.`);
  }
  const { accountId, by } = asking;
  return accept({
    type: 'WebhookEndpointCreated',
    data: { accountId, allAccounts, url: url.sealed, eventTypes: unique(eventTypes), secret, by },
  });
}

type Update = Extract<WebhookEndpointCommand, { type: 'UpdateWebhookEndpoint' }>;

function update(endpoint: Endpoint, command: Update): Decision<WebhookEndpointEvent> {
  const { asking, url, eventTypes, enabled, rules } = command;
  const problem =
    (url && badUrl(url.plain, rules)) ?? (eventTypes && badTypes(eventTypes, rules)) ?? undefined;
  if (problem) return problem;
  const typesAfter = eventTypes ? unique(eventTypes) : endpoint.eventTypes;
  const enabledAfter = enabled ?? endpoint.enabled;
  if (!url && !eventTypes && enabledAfter === endpoint.enabled) return accept();
  return accept({
    type: 'WebhookEndpointUpdated',
    data: {
      accountId: endpoint.accountId,
      url: url?.sealed ?? endpoint.url,
      eventTypes: typesAfter,
      enabled: enabledAfter,
      by: asking.by,
    },
  });
}

type Rotate = Extract<WebhookEndpointCommand, { type: 'RotateWebhookSecret' }>;

function rotate(endpoint: Endpoint, command: Rotate): Decision<WebhookEndpointEvent> {
  const { asking, secret, overlapSeconds, at } = command;
  if (!Number.isInteger(overlapSeconds) || overlapSeconds < 0 || overlapSeconds > MAX_OVERLAP_SECONDS) {
    const message = `"overlapSeconds" must be 0 to ${MAX_OVERLAP_SECONDS} (7 days).`;
    return refuse('INVALID_INPUT', message, 'overlapSeconds');
  }
  if (signing(endpoint, at).length >= MAX_SECRETS) {
    return refuse('TOO_MANY_SECRETS', `At most ${MAX_SECRETS} secrets of an endpoint sign at once.`);
  }
  const overlapEndsAt = new Date(at.getTime() + overlapSeconds * 1000).toISOString();
  return accept({
    type: 'WebhookSecretRotated',
    data: { accountId: endpoint.accountId, secret, overlapEndsAt, by: asking.by },
  });
}

const unique = (types: readonly string[]): string[] =>
  types.includes(EVERY_TYPE) ? [EVERY_TYPE] : [...new Set(types)].sort();

function badTypes(types: readonly string[], { eventTypes }: EndpointRules): Decision<never> | undefined {
  const refused = (message: string) => refuse('INVALID_INPUT', message, 'eventTypes');
  if (types.length === 0 || types.length > MAX_EVENT_TYPES) {
    return refused(`"eventTypes" must have 1 to ${MAX_EVENT_TYPES} types, or "*" for all.`);
  }
  const known = types.every((type) => type === EVERY_TYPE || eventTypes.includes(type));
  return known
    ? undefined
    : refused('"eventTypes" names a type that does not exist. See the query webhookEventTypes.');
}

/** Ports below are those of other protocols: a POST there is an attack on whoever listens. */
const FIRST_FREE_PORT = 1_024;

function badUrl(text: string, { plainHttp }: EndpointRules): Decision<never> | undefined {
  const refused = (message: string) => refuse('INVALID_INPUT', message, 'url');
  const problem = textProblem('url', text, { min: 1, max: MAX_URL, maxBytes: MAX_URL });
  if (problem !== undefined) return refused(problem);
  if (!URL.canParse(text)) return refused('"url" must be a URL like https://example.com/webhooks.');
  const { protocol, username, password, port, hash } = new URL(text);
  if (protocol !== 'https:' && !(plainHttp && protocol === 'http:')) {
    return refused('"url" must begin with https://.');
  }
  if (username !== '' || password !== '') return refused('"url" must not hold a user name or a password.');
  if (hash !== '') return refused('"url" must not have a fragment.');
  if (port !== '' && port !== '80' && port !== '443' && Number(port) < FIRST_FREE_PORT) {
    return refused(`"url" must have the port 443, or one from ${FIRST_FREE_PORT} on.`);
  }
  return undefined;
}

/** How far a delivery has got. */
interface DeliveryState {
  /** The newest round that has ended; 0 before. */
  readonly round: number;
  readonly outcome: string | undefined;
}

export type WebhookDeliveryCommand = {
  readonly type: 'EndWebhookDelivery';
  readonly told: Extract<WebhookDeliveryEvent, { type: 'WebhookDelivered' }>['data'];
  /** Why it was given up; undefined for one that was received. */
  readonly reason: string | undefined;
};

export const deliveryDecider: Decider<DeliveryState, WebhookDeliveryCommand, WebhookDeliveryEvent> = {
  initial: { round: 0, outcome: undefined },
  evolve: (_state, event) => ({
    round: event.data.round,
    outcome: event.type === 'WebhookDelivered' ? undefined : event.data.reason,
  }),
  decide: (state, { told, reason }) => {
    if (told.round <= state.round) return accept();
    return reason === undefined
      ? accept({ type: 'WebhookDelivered', data: told })
      : accept({ type: 'WebhookGivenUp', data: { ...told, reason } });
  },
};
