import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { AccessRule } from '../graphql/kit/access.js';
import type { Caller, DemoCaller, RequestContext } from '../graphql/kit/context.js';
import type { ApiError } from '../graphql/kit/errors.js';
import type { BodyTime } from '../http/slowBodies.js';
import type { MeterAmounts } from '../usage/limits/limiter.js';

/** A call of a route that has passed the gate. */
export interface RouteCall {
  readonly caller: Caller | DemoCaller;
  /** When it was admitted, milliseconds since the epoch. */
  readonly now: number;
  /** The same by which is billed: what is used, and in which period, goes by it (decision 36). */
  readonly usageTime: number;
  readonly params: Readonly<Record<string, string>>;
  /** Unchecked: a parameter that is given twice is an array. */
  readonly query: Readonly<Record<string, unknown>>;
  /** Unchecked. */
  readonly body: unknown;
  /** Ids of the patterns that were read: they go into the use's record. */
  readonly patternsRead: Set<string>;
  /** The header `Idempotency-Key`: the id of a command. */
  readonly idempotencyKey?: string | undefined;
  /** For a route that reads its body itself, or answers at length. */
  readonly http: { readonly request: FastifyRequest; readonly reply: FastifyReply };
}

/** What a command knows of its request, whichever way it came. */
export type RouteContext = Pick<RequestContext, 'caller' | 'now' | 'usageTime' | 'correlationId'>;

/** What a route takes and answers, for whoever describes it. */
export interface RouteSpec {
  readonly summary: string;
  /** Of the body, in JSON. */
  readonly body?: z.ZodType;
  /** Of the body, where it is a form. */
  readonly form?: z.ZodType;
  /** Whether the body is a file, of whatever type. */
  readonly file?: boolean;
  /** Parameters of the query, all optional, and what they are. */
  readonly query?: Readonly<Record<string, string>>;
  /** Of the answer, in JSON. */
  readonly answer?: z.ZodType;
  /** The media type of an answer that is another text. */
  readonly text?: string;
  /** Answers of other statuses that are no failures of the usual shape. */
  readonly others?: Readonly<Record<number, z.ZodType>>;
}

/** What the routes of one product have in common, where they are not like our own. */
export interface Dialect {
  /** What is refused by the gate, or by the server. */
  refuse(error: ApiError): { readonly status: number; readonly body: object };
  /** Of a method that a route does not have. */
  readonly methodNotAllowed: object;
  /** Of every failure, in JSON. */
  readonly failure: z.ZodType;
  /** Parsers and hooks of these routes alone. */
  prepare(scope: FastifyInstance): Promise<void>;
}

/** What a route answers. */
export interface Reply {
  /** 200 by default. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text, a stream, or what becomes JSON. */
  readonly body: unknown;
  /** Cost points, where the answer came to less than the route's. */
  readonly cost?: number;
  /** Whether it was done before: of the route's own meters it then comes to nothing. */
  readonly repeated?: true;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A REST route. The gate stands before it, as before every field of GraphQL. */
export interface Route {
  readonly method: Method;
  /** With parameters, e.g. `/v1/patterns/:id`. */
  readonly path: string;
  /** For its documentation, one line. */
  readonly summary?: string;
  readonly metering: 'governed' | 'guarded' | 'service' | 'anonymous';
  /** Who may call it; where that depends on who calls, a function. */
  readonly access: AccessRule | ((caller: Caller | DemoCaller) => AccessRule);
  /** Cost points that it can come to at most. */
  readonly cost: number;
  /** Of other meters of the profile, where it is governed; of what fails it comes to nothing. */
  readonly quantities?: MeterAmounts;
  /** Who calls, where the address says so and no other credential is needed. */
  readonly caller?: (call: Pick<RouteCall, 'params' | 'query' | 'now'>) => Caller;
  /** Whether callers without an account may make it where the profile has demo callers: every GET that is governed. */
  readonly demo?: boolean;
  /** Calls a minute from one address, where it is anonymous; by default 10. */
  readonly perMinute?: number;
  /** How long its body may take, in milliseconds; by default as the server says. */
  readonly bodyTime?: BodyTime;
  /** Answered over plain HTTP too: for probes that come past the proxy. */
  readonly plainHttp?: boolean;
  /** Bytes of a body at most; by default what the server takes. */
  readonly bodyLimit?: number;
  /** Whether what is refused is told as in RFC 9457; by default in the shape of a GraphQL error. */
  readonly problems?: true;
  /** By default our own: problems, or the shape of a GraphQL error. */
  readonly dialect?: Dialect;
  readonly spec?: RouteSpec;
  /** @throws ApiError what callers are told, Outage */
  readonly handle: (call: RouteCall) => Promise<Reply> | Reply;
}

type Handle = Route['handle'];

/**
 * A route that takes from the plan's limits, and is recorded before it is answered: one request, and cost points.
 * A GET is open to demo callers where the profile has them.
 */
export const governed = (
  method: Method,
  path: string,
  { cost, ...said }: Omit<Route, 'method' | 'path' | 'metering' | 'handle'>,
  handle: Handle,
): Route => ({ method, path, metering: 'governed', cost, handle, ...said });

/** A route with which an account helps itself: behind a guard, never refused for quota. */
export const guarded = (
  method: Method,
  path: string,
  said: Pick<Route, 'access' | 'summary' | 'spec'>,
  handle: Handle,
): Route => ({ method, path, metering: 'guarded', cost: 0, handle, ...said });

/** A route that anybody may call without an account, each address so often a minute. */
export const anonymous = (
  method: Method,
  path: string,
  said: Pick<Route, 'summary' | 'perMinute' | 'plainHttp' | 'dialect' | 'spec'>,
  handle: Handle,
): Route => ({ method, path, metering: 'anonymous', access: { anyone: true }, cost: 0, handle, ...said });
