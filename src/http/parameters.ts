import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiError } from '../graphql/kit/errors.js';
import { invalidInput } from '../graphql/kit/errors.js';
import { textProblem, unfit } from '../text/text.js';

type Parameters = Readonly<Record<string, unknown>>;

/** Characters of a parameter's name; a longer one is not repeated. */
const NAME = { min: 1, max: 60 };

/**
 * Refuses whatever is no text among the parameters of a request, those of the query and those in the path, on every
 * route. What a parameter may be beyond that is the route's own business.
 * @param refuse answers with the error
 */
export function checkParameters(
  fastify: FastifyInstance,
  refuse: (request: FastifyRequest, reply: FastifyReply, error: ApiError) => void,
): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const error = wrongParameter(request);
    if (error) refuse(request, reply, error);
    else done();
  });
}

function wrongParameter({ url, query, params }: FastifyRequest): ApiError | undefined {
  const mark = url.indexOf('?');
  if (mark >= 0) {
    if (!isEncoded(url.slice(mark + 1))) {
      return invalidInput('query', 'The query of the address is not percent-encoded UTF-8.');
    }
    const wrong = wrongIn(query as Parameters);
    if (wrong) return wrong;
  }
  return wrongIn((params ?? {}) as Parameters);
}

/** Fastify leaves what it can't decode as it is. */
function isEncoded(query: string): boolean {
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}

function wrongIn(parameters: Parameters): ApiError | undefined {
  for (const name in parameters) {
    if (textProblem('', name, NAME) !== undefined) {
      return invalidInput(
        'query',
        `The name of a parameter must be one line of 1 to ${NAME.max} characters.`,
      );
    }
    for (const value of [parameters[name]].flat()) {
      const problem = typeof value === 'string' ? unfit(name, value) : undefined;
      if (problem !== undefined) return invalidInput(name, problem);
    }
  }
  return undefined;
}
