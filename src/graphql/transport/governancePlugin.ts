import type { ApolloServerPlugin, GraphQLResponse } from '@apollo/server';
import { HeaderMap } from '@apollo/server';
import type { RequestContext } from '../kit/context.js';
import type { Governance } from './governance.js';
import type { KnownOperations } from './knownOperations.js';
import type { Answer } from './responses.js';

/**
 * Answers in `responseForOperation`, the one hook of Apollo that runs alone and may answer itself: a refusal
 * there is an ordinary answer, and the execution is ours, so that nothing leaves before it is recorded.
 */
export function governancePlugin(
  governance: Governance,
  known: KnownOperations,
): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async () => {
      let ours = false;
      return {
        responseForOperation: async (request) => {
          const { document, operation, operationName, contextValue } = request;
          // No operation of the given name: Apollo says so.
          if (!document || !operation) return null;
          const valid = { document, operation, operationName: operationName ?? null };
          if (request.source !== undefined)
            known.remember(request.source, request.request.operationName, valid);
          ours = true;
          const answer = await governance.answer({
            ...valid,
            variables: request.request.variables ?? {},
            method: request.request.http?.method,
            graphqlCost: request.request.http?.headers.get('graphql-cost'),
            context: contextValue,
          });
          return apolloResponse(answer);
        },
        // Apollo refuses itself what it cannot parse, what is not valid and what names no operation.
        willSendResponse: async ({ contextValue, response: { http, body } }) => {
          if (ours) return;
          for (const [name, value] of await governance.headersFor(contextValue))
            http.headers.set(name, value);
          // No answer without data is a success: Apollo has 200 for persisted queries that it does not support.
          if (body.kind === 'single' && body.singleResult.data === undefined && (http.status ?? 200) < 400) {
            http.status = 400;
          }
        },
      };
    },
  };
}

function apolloResponse({ status, headers, result }: Answer): GraphQLResponse {
  const map = new HeaderMap();
  for (const [name, value] of headers) map.set(name, value);
  return { http: { status, headers: map }, body: { kind: 'single', singleResult: result } };
}
