import type { Client } from 'graphql-sse';
import { createClient } from 'graphql-sse';
import type { GraphQLResponse, RequestParameters, Variables } from 'relay-runtime';
import relay from 'relay-runtime';
import type { Connect, Outcome } from './client.js';
import { codesOf, Pulled } from './client.js';

const { Network, Observable } = relay;

// docs/clients.md
export const relayNetwork = (url: string, headers: Record<string, string>, events: Client) =>
  Network.create(
    async ({ text }, variables) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query: text, variables }),
      });
      return (await response.json()) as GraphQLResponse;
    },
    ({ text }, variables) =>
      Observable.create((sink) => events.subscribe({ query: text ?? '', variables }, sink as never)),
  );
// end

type Answer = Outcome & { readonly errors?: readonly { extensions?: Record<string, unknown> }[] };

export const connectRelay: Connect = (url, headers) => {
  const client = createClient({ url, headers, retryAttempts: 0 });
  const network = relayNetwork(url, headers, client);
  const execute = (text: string, variables: Variables = {}) => {
    const operationKind = (/^\s*(mutation|subscription)/.exec(text)?.[1] ?? 'query') as 'query';
    const request: RequestParameters = {
      id: null,
      cacheID: text,
      text,
      name: 'Test',
      metadata: {},
      operationKind,
    };
    return network.execute(request, variables, {}, null);
  };
  const outcome = (response: unknown): Outcome => {
    const { data, errors } = response as Answer;
    return { data, codes: codesOf(errors) };
  };
  return {
    ask: async (text, variables) => outcome(await execute(text, variables).toPromise()),
    subscribe: (text) => {
      const events = new Pulled<Outcome>(() => subscription.unsubscribe());
      const subscription = execute(text).subscribe({
        next: (response) => events.push(outcome(response)),
        complete: () => events.end(),
      });
      return events;
    },
    close: () => client.dispose(),
  };
};
