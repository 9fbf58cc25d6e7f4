export type SpanAttributes = Readonly<Record<string, string | number>>;

/** What a span says; names and attributes follow OpenTelemetry's semantic conventions. */
export interface SpanShape {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'producer' | 'consumer';
  /** No secret, no personal data, no text of a query (law 9). */
  readonly attributes: SpanAttributes;
  /** The `traceparent` of its cause, null for none; the active span where nothing is said. */
  readonly parent?: string | null;
  /** The `traceparent` of everything else that led to it. */
  readonly links?: readonly string[];
}

/** A span that is under way. */
export interface Span {
  /** Runs work in which this span is the active one. */
  within<R>(work: () => R): R;
  set(attributes: SpanAttributes): void;
  /** @param error what kind of failure it was, where it was one; never its message */
  end(error?: string): void;
}

/**
 * Traces, where somebody wants them: whoever takes part is given this or undefined, so that without a
 * collector nothing of it is made or asked for.
 */
export interface Tracing {
  begin(shape: SpanShape): Span;
  /**
   * Runs work within a span that ends with it.
   * @param failure the kind of failure that a result stands for, if it does
   */
  run<R>(shape: SpanShape, work: () => Promise<R>, failure?: (result: R) => string | undefined): Promise<R>;
  /** Runs work that outlives what has begun it, and belongs to no span until it begins one. */
  detached<R>(work: () => R): R;
  /** The `traceparent` of the active span; undefined where none is recorded. */
  active(): string | undefined;
  /** Sends what is left, bounded. */
  close(): Promise<void>;
}
