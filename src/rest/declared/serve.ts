import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { ApiError } from '../../graphql/kit/errors.js';
import { shownId } from '../../graphql/kit/ids.js';
import { isoTime } from '../../isoTime.js';
import type { Answered, DeclaredOptions } from './answer.js';
import { answerOf, Refused } from './answer.js';
import type { CompiledRoute, CompiledRoutes } from './compile.js';
import type { Refusal } from './failures.js';
import { refusalOf } from './failures.js';
import { jsonText } from './jsonText.js';
import { credentialsOf, partsOf, unfitCode, variantOf } from './request.js';

/** Serves the routes of a profile: each a document behind the gate, in the product's own shape. */
export function serveDeclared(
  fastify: FastifyInstance,
  options: DeclaredOptions,
): { root: Handler | undefined } {
  let root: Handler | undefined;
  const { file, routes } = options.compiled;
  const product = {
    name: options.plans.profile.product,
    version: file.version,
    routes: [...new Set(routes.map(({ declared }) => declared.route))],
  };
  const places = new Map<string, CompiledRoute[]>();
  for (const route of routes) {
    // They are served where payments are taken.
    if (route.declared.stripe) continue;
    const place = `${route.method} ${route.path}`;
    places.set(place, [...(places.get(place) ?? []), route]);
  }
  for (const variants of places.values()) {
    const [first] = variants;
    if (!first) continue;
    const refuse = ({ code, message, status, extensions }: ApiError): { status: number; body: unknown } => {
      const field = extensions['field'];
      const malformed = code === 'INVALID_INPUT' || code === 'BODY_INVALID';
      const refusal: Refusal = malformed
        ? invalid(typeof field === 'string' ? field : undefined, message, code === 'BODY_INVALID')
        : { code, message, status };
      return first.failures.tell(refusal, { product, plan: null, account: null, message });
    };
    const handler: Handler = (request, reply) => handle(options, product, variants, request, reply);
    // A browser is shown a page there: `/` goes by what is accepted (http/playground.ts).
    if (first.path === '/') root = handler;
    else
      fastify.route({
        method: first.method,
        url: first.path,
        config: { refuse, plainHttp: first.declared.health },
        handler,
      });
  }
  refuseOtherMethods(fastify, options.compiled, product);
  return { root };
}

/** Another method than those of a path is refused in the product's shape. */
function refuseOtherMethods(
  fastify: FastifyInstance,
  { routes, failures }: CompiledRoutes,
  product: object,
): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    if (path === '/') continue;
    const allowed = new Set(routes.filter((route) => route.path === path).map(({ method }) => method));
    const { status, body } = failures.tell(refusalOf('METHOD_NOT_ALLOWED'), {
      product,
      plan: null,
      account: null,
    });
    const others = METHODS.filter((method) => !fastify.hasRoute({ method, url: path }));
    if (others.length === 0) continue;
    fastify.route({
      method: others,
      url: path,
      handler: async (_request, reply) =>
        reply
          .status(status)
          .header('allow', [...allowed].join(', '))
          .send(body),
    });
  }
}

const METHODS: HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** What an address that there is not is answered: in some products a credential is asked for first. */
export async function tellNotFound(
  { compiled: { file, failures }, gate, plans }: Pick<DeclaredOptions, 'compiled' | 'gate' | 'plans'>,
  request: FastifyRequest,
): Promise<{ status: number; body: object }> {
  const tell = (refusal: Refusal) => {
    const facts = { product: {}, plan: null, account: null };
    return failures.tell(refusal, facts) as { status: number; body: object };
  };
  if (file.unknownNeedsCredential) {
    const sent = credentialsOf(request, file.credentials);
    const caller = await gate.authenticate(sent);
    const code =
      caller.kind === 'anonymous' ? 'KEY_MISSING' : caller.kind === 'refused' ? caller.code : undefined;
    if (code !== undefined) return tell(refusalOf(unfitCode(code, sent, plans.profile.keys)));
  }
  return tell(refusalOf('NOT_FOUND'));
}

const invalid = (field: string | undefined, message: string, inBody: boolean): Refusal =>
  refusalOf('REQUEST_INVALID', {
    message,
    issues: [
      inBody
        ? { loc: ['body'], msg: 'JSON decode error', type: 'json_invalid' }
        : { loc: field === undefined ? ['query'] : ['query', field], msg: message, type: 'value_error' },
    ],
  });

async function handle(
  options: DeclaredOptions,
  product: object,
  variants: readonly CompiledRoute[],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { gate, plans, metrics, problems } = options;
  const { credentials } = options.compiled.file;
  const sent = credentialsOf(request, credentials);
  const from = { address: request.clientAddress, requestId: request.requestId };
  const made = options.createContext({ credentials: sent, ...from });
  let context = made instanceof Promise ? await made : made;
  const { route, action, actions } = variantOf(variants, request);
  if (route.declared.lenient && context.caller.kind === 'refused') {
    context = await options.createContext({ credentials: {}, ...from });
  }
  const account = 'accountId' in context.caller ? context.caller.accountId : null;
  const common = {
    product,
    // As all answers show it.
    account: account === null ? null : shownId('Account', account),
    plan: account === null ? null : plans.planOf(account).plan.id,
    time: isoTime(context.now),
    // Days that an answer goes back are days of use.
    now: context.usageTime,
    uptime: Math.floor(process.uptime()),
    healthy: problems().length === 0,
    action,
    actions,
  };
  let answered: Answered;
  try {
    if (action !== null && actions.length > 0) throw new Refused(refusalOf('ACTION_UNKNOWN'));
    answered = await answerOf(options, route, request, context, sent, common);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { refusal } = error;
    metrics.refused.inc({ code: refusal.code });
    answered = {
      ...route.failures.tell(refusal, { ...common, ...partsOf(request) }),
      headers: [
        ...(error.headers ?? (await gate.headers(context, undefined))),
        ...(refusal.retryAfterSeconds === undefined
          ? []
          : [['retry-after', String(refusal.retryAfterSeconds)] as const]),
      ],
    };
  }
  for (const [name, value] of answered.headers) reply.header(name, value);
  const { status, body } = answered;
  if (typeof body !== 'object' || body === null) return reply.status(status).send(body ?? undefined);
  return reply.status(status).type('application/json; charset=utf-8').send(jsonText(body));
}
