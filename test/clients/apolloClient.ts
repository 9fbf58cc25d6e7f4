import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  gql,
  HttpLink,
  InMemoryCache,
} from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import type { Client } from 'graphql-ws';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Connect, Outcome } from './client.js';
import { codesOf, Pulled } from './client.js';

// docs/clients.md
export const apolloClient = (url: string, headers: Record<string, string>, socket: Client) =>
  new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      new HttpLink({ uri: url, headers }),
    ),
  });
// end

const refused = (error: unknown): Outcome => {
  if (CombinedGraphQLErrors.is(error)) return { data: undefined, codes: codesOf(error.errors) };
  // "Socket closed with event 4401 KEY_REVOKED".
  const reason = error instanceof Error ? / event 4\d{3} (\w+)$/.exec(error.message)?.[1] : undefined;
  if (reason === undefined) throw error;
  return { data: undefined, codes: [reason] };
};

export const connectApolloClient: Connect = (url, headers) => {
  const socket = createClient({
    url: url.replace('http', 'ws'),
    connectionParams: headers,
    webSocketImpl: WebSocket,
    onNonLazyError: () => undefined,
  });
  const client = apolloClient(url, headers, socket);
  return {
    ask: async (text, variables = {}) => {
      const document = gql(text);
      const fresh = { fetchPolicy: 'no-cache', variables } as const;
      const asked = /^\s*mutation/.test(text)
        ? client.mutate<Record<string, unknown>>({ mutation: document, ...fresh })
        : client.query<Record<string, unknown>>({ query: document, ...fresh });
      return asked.then(({ data }) => ({ data, codes: [] }), refused);
    },
    subscribe: (text) => {
      const events = new Pulled<Outcome>(() => subscription.unsubscribe());
      const answers = client.subscribe<Record<string, unknown>>({ query: gql(text) });
      const subscription = answers.subscribe({
        next: ({ data, error }) => events.push(error ? refused(error) : { data, codes: [] }),
        complete: () => events.end(),
      });
      return events;
    },
    close: () => {
      client.stop();
      return socket.dispose();
    },
  };
};
