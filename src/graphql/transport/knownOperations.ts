import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import { BoundedMap } from '../../boundedMap.js';
import { compositeKey } from '../../eventsourcing/compositeKey.js';
import type { RequestContext } from '../kit/context.js';
import type { CreateContext } from './operations.js';
import type { Governance, Operation } from './governance.js';
import { textOf } from './responses.js';

type Valid = Pick<Operation, 'document' | 'operation' | 'operationName'>;

interface Body {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

/** Characters of a text that is kept: parsed it takes some hundred bytes for each. Longer ones go the way through Apollo. */
export const MAX_TEXT = 2_000;

const keyOf = (query: string, operationName: string | null | undefined): string =>
  compositeKey(operationName, query);

/** What Apollo has parsed and found valid. The same text is valid again: the schema does not change. */
export class KnownOperations {
  readonly #known = new BoundedMap<Valid>(1_000);

  remember(query: string, operationName: string | null | undefined, valid: Valid): void {
    if (query.length <= MAX_TEXT) this.#known.set(keyOf(query, operationName), valid);
  }

  find({ query, operationName }: Body): Valid | undefined {
    return this.#known.get(keyOf(query, operationName));
  }
}

/**
 * Answers operations that are known without the way through Apollo, which costs as much as all the rest of
 * a small call; whatever is not a plain POST of JSON goes that way nevertheless. The answers are the same
 * (test/graphql/knownOperations.http.test.ts).
 */
export function answerKnown(
  known: KnownOperations,
  governance: Governance,
  createContext: CreateContext,
  otherwise: RouteHandlerMethod,
): RouteHandlerMethod {
  return function (request: FastifyRequest, reply: FastifyReply) {
    const { body, headers, clientAddress: address, requestId } = request;
    const valid = isPlain(request) && isBody(body) ? known.find(body) : undefined;
    if (!valid) return otherwise.call(this, request, reply);
    const { variables } = body as Body;
    const answered = async (context: RequestContext): Promise<FastifyReply> => {
      const {
        status,
        headers: more,
        result,
      } = await governance.answer({
        ...valid,
        variables: variables ?? {},
        method: 'POST',
        graphqlCost: headers['graphql-cost']?.toString(),
        context,
      });
      for (const [name, value] of more) reply.header(name, value);
      return reply
        .code(status)
        .header('content-type', 'application/json; charset=utf-8')
        .send(`${textOf(result)}\n`);
    };
    const context = createContext({ credentials: headers, address, requestId });
    return context instanceof Promise ? context.then(answered) : answered(context);
  };
}

/** A POST of JSON by somebody who takes JSON: nothing that Apollo would have to negotiate. */
function isPlain({ method, headers }: FastifyRequest): boolean {
  const { accept = '*/*', 'content-type': type } = headers;
  return (
    method === 'POST' &&
    (type === 'application/json' || type === 'application/json; charset=utf-8') &&
    (accept === '*/*' || accept === 'application/json' || accept === 'application/json, */*')
  );
}

const FIELDS: ReadonlySet<string> = new Set(['query', 'operationName', 'variables']);

function isBody(body: unknown): body is Body {
  if (typeof body !== 'object' || body === null) return false;
  for (const field in body) if (!FIELDS.has(field)) return false;
  const { query, operationName, variables } = body as Record<string, unknown>;
  return (
    typeof query === 'string' &&
    (operationName == null || typeof operationName === 'string') &&
    (variables == null || (typeof variables === 'object' && !Array.isArray(variables)))
  );
}
