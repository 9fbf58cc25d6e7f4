import { ClientError, GraphQLClient } from 'graphql-request';
import type { Connect, TestedClient } from './client.js';
import { codesOf } from './client.js';

// docs/clients.md
export const graphqlRequest = (url: string, headers: Record<string, string>) =>
  new GraphQLClient(url, { headers });
// end

const connected = (client: GraphQLClient): TestedClient => ({
  ask: (query, variables = {}) =>
    client.request<Record<string, unknown>>(query, variables).then(
      (data) => ({ data, codes: [] }),
      (error: unknown) => {
        if (!(error instanceof ClientError)) throw error;
        return { data: undefined, codes: codesOf(error.response.errors) };
      },
    ),
  close: () => undefined,
});

export const connectGraphqlRequest: Connect = (url, headers) => connected(graphqlRequest(url, headers));

/** Queries by GET; mutations need the client above. */
export const connectGraphqlRequestByGet: Connect = (url, headers) => {
  const byGet = connected(new GraphQLClient(url, { headers, method: 'GET', jsonSerializer: JSON }));
  const byPost = connectGraphqlRequest(url, headers);
  return {
    ...byGet,
    ask: (query, variables) => (/^\s*mutation/.test(query) ? byPost : byGet).ask(query, variables),
  };
};
