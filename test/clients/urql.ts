import { Client, fetchExchange } from '@urql/core';
import type { Connect, Outcome } from './client.js';
import { codesOf, Pulled } from './client.js';

// docs/clients.md
export const urql = (url: string, headers: Record<string, string>) =>
  new Client({
    url,
    exchanges: [fetchExchange],
    fetchOptions: { headers },
    fetchSubscriptions: true,
  });
// end

export const connectUrql: Connect = (url, headers) => {
  const client = urql(url, headers);
  return {
    ask: async (query, variables = {}) => {
      const ask = /^\s*mutation/.test(query) ? client.mutation.bind(client) : client.query.bind(client);
      const { data, error } = (await ask(query, variables).toPromise()) as Answer;
      return { data, codes: codesOf(error?.graphQLErrors) };
    },
    subscribe: (query) => {
      const events = new Pulled<Outcome>(() => subscription.unsubscribe());
      const subscription = client.subscription(query, {}).subscribe((answer) => {
        const { data, error } = answer as Answer;
        events.push({ data, codes: codesOf(error?.graphQLErrors) });
      });
      return events;
    },
    close: () => undefined,
  };
};

interface Answer {
  readonly data?: Record<string, unknown> | undefined;
  readonly error?:
    { readonly graphQLErrors: readonly { extensions?: Record<string, unknown> }[] } | undefined;
}
