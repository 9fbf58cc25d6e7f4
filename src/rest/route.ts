import type { z } from 'zod';
import type { AccessRule } from '../graphql/kit/access.js';
import type { Caller, DemoCaller, RequestContext } from '../graphql/kit/context.js';

/** A call of a route that has passed the gate. */
export interface RouteCall {
  readonly caller: Caller | DemoCaller;
  /** When it was admitted, milliseconds since the epoch. */
  readonly now: number;
  readonly params: Readonly<Record<string, string>>;
  /** Unchecked: a parameter that is given twice is an array. */
  readonly query: Readonly<Record<string, unknown>>;
  /** Unchecked. */
  readonly body: unknown;
  /** Ids of the patterns that were read: they go into the use's record. */
  readonly patternsRead: Set<string>;
  /** The header `Idempotency-Key`: the id of a command. */
  readonly idempotencyKey?: string | undefined;
}

/** What a command knows of its request, whichever way it came. */
export type RouteContext = Pick<RequestContext, 'caller' | 'now' | 'correlationId'>;

/** What a route takes and answers, for whoever describes it. */
export interface RouteSpec {
  readonly summary: string;
  /** Of the body, in JSON. */
  readonly body?: z.ZodType;
  /** Parameters of the query, all optional, and what they are. */
  readonly query?: Readonly<Record<string, string>>;
  /** Of the answer, in JSON. What is refused is a problem (RFC 9457). */
  readonly answer: z.ZodType;
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
  /** Bytes of a body at most; by default what the server takes. */
  readonly bodyLimit?: number;
  /** Whether what is refused is told as in RFC 9457; by default in the shape of a GraphQL error. */
  readonly problems?: true;
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
  { cost, ...said }: Pick<Route, 'access' | 'cost' | 'summary'>,
  handle: Handle,
): Route => ({ method, path, metering: 'governed', cost, handle, ...said });

/** A route with which an account helps itself: behind a guard, never refused for quota. */
export const guarded = (
  method: Method,
  path: string,
  said: Pick<Route, 'access' | 'summary'>,
  handle: Handle,
): Route => ({ method, path, metering: 'guarded', cost: 0, handle, ...said });
