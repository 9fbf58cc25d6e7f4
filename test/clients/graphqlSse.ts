import { createClient, NetworkError } from 'graphql-sse';
import type { Connect, Outcome } from './client.js';
import { codesOf, Pulled } from './client.js';

// docs/clients.md
export const graphqlSse = (url: string, headers: Record<string, string>) =>
  createClient({ url, headers, retryAttempts: 0 });
// end

type Refused = NetworkError<Response>;

export const connectGraphqlSse: Connect = (url, headers) => {
  const client = graphqlSse(url, headers);
  const subscribe = (query: string, variables: Record<string, unknown> = {}) => {
    const events = new Pulled<Outcome>(() => stop());
    const refused = async (error: unknown): Promise<void> => {
      const body = error instanceof NetworkError ? await (error as Refused).response?.json() : undefined;
      events.push({ data: undefined, codes: codesOf((body as { errors: [] } | undefined)?.errors) });
      events.end();
    };
    const stop = client.subscribe<Record<string, unknown>>(
      { query, variables },
      {
        next: ({ data, errors }) => events.push({ data, codes: codesOf(errors) }),
        error: (error) => void refused(error),
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
