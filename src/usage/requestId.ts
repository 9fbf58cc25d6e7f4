/** What callers may name a request with; anything else is as good as nothing. */
const WELL_FORMED = /^[A-Za-z0-9][A-Za-z0-9._:+/=@-]{0,127}$/;

/**
 * Names a request in the header `X-Request-Id` of its answer. It leads to what was recorded of it: the first record
 * has an id that was minted here as its own, all others name it.
 */
export class RequestId {
  #free: boolean;

  private constructor(
    readonly text: string,
    minted: boolean,
  ) {
    this.#free = minted;
  }

  /** @param given by the caller; what is not well-formed is left aside */
  static of(given: unknown, mint: () => string): RequestId {
    return typeof given === 'string' && WELL_FORMED.test(given)
      ? new RequestId(given, false)
      : new RequestId(mint(), true);
  }

  /** What the next record of the request says of it. */
  next(mint: () => string): { readonly id: string; readonly requestId?: string } {
    if (!this.#free) return { id: mint(), requestId: this.text };
    this.#free = false;
    return { id: this.text };
  }
}

/** Makes them for requests as they come: from the header, or anew. */
export type RequestIds = (given: unknown) => RequestId;

/**
 * Ids that a node mints for requests and governed calls: a reporter cannot have made one by chance. The process
 * start and its time, the milliseconds since, and a count.
 */
const MINTED = /^[0-9a-f]{8}\.(\d{17})\.(?:([0-9a-z]{1,10})-)?[0-9a-z]+$/;

export const isMinted = (id: string): boolean => MINTED.test(id);

/** When an id was minted, milliseconds since the epoch; undefined for one that does not say. */
export function mintedAt(id: string): number | undefined {
  const [, start = '', since] = MINTED.exec(id) ?? [];
  if (since === undefined) return undefined;
  const [, date, time, ms] = /^(\d{8})(\d{6})(\d{3})$/.exec(start) ?? [];
  const parts = [date?.slice(0, 4), date?.slice(4, 6), date?.slice(6)].join('-');
  const clock = [time?.slice(0, 2), time?.slice(2, 4), time?.slice(4)].join(':');
  const at = Date.parse(`${parts}T${clock}.${ms}Z`) + Number.parseInt(since, 36);
  return Number.isFinite(at) ? at : undefined;
}
