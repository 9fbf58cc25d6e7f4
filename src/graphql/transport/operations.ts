import type { ApolloServer } from '@apollo/server';
import { HeaderMap } from '@apollo/server';
import type { FormattedExecutionResult } from 'graphql';
import type { Credentials } from '../../gate/authenticate.js';
import type { RequestContext, Subscriber } from '../kit/context.js';
import type { SubscriptionEvents } from '../kit/subscriptions.js';
import type { RequestId } from '../../usage/requestId.js';

/** An operation as a transport brings it. */
export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

/** Whose operation it is. */
export interface Sender {
  readonly credentials: Credentials;
  readonly address: string | undefined;
  /** Of the request; undefined for one that has none of its own, such as a message of a WebSocket. */
  readonly requestId?: RequestId | undefined;
}

/** At once where the credential is one of those in memory. */
export type CreateContext = (
  sender: Sender,
  subscriber?: Subscriber,
) => RequestContext | Promise<RequestContext>;

/** What an operation comes to, and the headers that go with it where there are any. */
export type Outcome = { readonly status: number; readonly headers: HeaderMap } & (
  | { readonly kind: 'answer'; readonly result: FormattedExecutionResult }
  | { readonly kind: 'events'; readonly events: SubscriptionEvents }
);

/**
 * Runs operations for transports that can stream: through the same parser, rules, limits and metering as
 * over plain HTTP, queries and mutations too.
 */
export class Operations {
  constructor(
    private readonly apollo: ApolloServer<RequestContext>,
    private readonly createContext: CreateContext,
  ) {}

  /** @param http what is asked for by a header, where the operation came by HTTP */
  async run(
    { query, operationName, variables }: OperationRequest,
    sender: Sender,
    http?: { readonly graphqlCost: string | undefined },
  ): Promise<Outcome> {
    let events: SubscriptionEvents | undefined;
    const subscriber: Subscriber = {
      // An event is no answer to the request: its record is another.
      context: async () => this.createContext({ ...sender, requestId: undefined }, subscriber),
      deliver: (subscribed) => (events = subscribed),
    };
    const response = await this.apollo.executeOperation(
      {
        query,
        ...(operationName != null && operationName !== '' && { operationName }),
        ...(variables != null && { variables }),
        ...(http && { http: { method: 'POST', headers: headersOf(http), search: '', body: null } }),
      },
      { contextValue: await this.createContext(sender, subscriber) },
    );
    const head = { status: response.http.status ?? 200, headers: response.http.headers };
    if (events) return { ...head, kind: 'events', events };
    const { body } = response;
    return {
      ...head,
      kind: 'answer',
      result: body.kind === 'single' ? body.singleResult : body.initialResult,
    };
  }
}

/** An `operationName` that is empty, as many clients send for an operation without a name, counts as absent. */
export function dropEmptyName(body: unknown): void {
  if (typeof body === 'object' && body !== null && 'operationName' in body && body.operationName === '') {
    delete body.operationName;
  }
}

function headersOf({ graphqlCost }: { readonly graphqlCost: string | undefined }): HeaderMap {
  return new HeaderMap(graphqlCost === undefined ? [] : [['graphql-cost', graphqlCost]]);
}
