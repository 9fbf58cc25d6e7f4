import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Connect, Outcome } from './client.js';
import { codesOf, Pulled } from './client.js';

// docs/clients.md
export const graphqlWs = (url: string, headers: Record<string, string>) =>
  createClient({
    url: url.replace('http', 'ws'),
    connectionParams: headers,
    // Browsers and Node.js 22 have one of their own.
    webSocketImpl: WebSocket,
  });
// end

export const connectGraphqlWs: Connect = (url, headers) => {
  const client = graphqlWs(url, headers);
  const subscribe = (query: string, variables: Record<string, unknown> = {}) => {
    const events = new Pulled<Outcome>(() => stop());
    const stop = client.subscribe(
      { query, variables },
      {
        next: ({ data, errors }) => events.push({ data, codes: codesOf(errors) }),
        error: (error) => {
          // What was refused is a list of errors; a closed socket has the code as its reason.
          const codes = Array.isArray(error) ? codesOf(error as []) : [(error as { reason?: string }).reason];
          events.push({ data: undefined, codes });
          events.end();
        },
        complete: () => events.end(),
      },
    );
    return events;
  };
  return {
    ask: async (query, variables) => (await subscribe(query, variables).next()).value as Outcome,
    subscribe,
    close: () => client.dispose(),
  };
};
