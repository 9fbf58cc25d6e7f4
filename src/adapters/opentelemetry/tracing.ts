import type { Context } from '@opentelemetry/api';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SamplerName, TracingConfig } from '../../config.js';
import type { Logger } from '../../logger.js';
import { formatTraceparent, parseTraceparent } from '../../telemetry/traceparent.js';
import type { Span, SpanShape, Tracing } from '../../telemetry/tracing.js';

const KINDS: Readonly<Record<SpanShape['kind'], SpanKind>> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** A batch of a read model is at most one page of events, each of which may come from another trace. */
const MAX_LINKS = 1_000;
const MAX_ATTRIBUTE_LENGTH = 256;
/** For the last spans: a shutdown does not wait longer for a collector that is not there. */
const CLOSE_MS = 2_000;

/**
 * Traces by OpenTelemetry, sent to a collector over OTLP/HTTP. Nothing is registered globally: two of
 * them in a process know nothing of each other.
 */
export function openTracing(config: TracingConfig, instance: string, log: Logger): Tracing {
  const contexts = new AsyncLocalStorageContextManager();
  const exporter = reporting(new OTLPTraceExporter({ url: config.url }), log);
  const provider = new TracerProvider({
    sampler: samplerOf(config.sampler, config.ratio),
    // Later ones prevail, as the specification has it.
    resource: resourceFromAttributes({ 'service.name': 'tollgraph', 'service.instance.id': instance })
      .merge(detectResources({ detectors: [envDetector] }))
      .merge(resourceFromAttributes(config.serviceName ? { 'service.name': config.serviceName } : {})),
    spanLimits: { linkCountLimit: MAX_LINKS, attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('tollgraph');

  const begin = ({ name, kind, attributes, parent, links = [] }: SpanShape): Span => {
    const context = parent === undefined ? contexts.active() : contextOf(parent);
    const span = tracer.startSpan(
      name,
      {
        kind: KINDS[kind],
        attributes: { ...attributes },
        links: links
          .flatMap((text) => trace.getSpanContext(contextOf(text)) ?? [])
          .map((c) => ({ context: c })),
      },
      context,
    );
    return {
      within: (work) => contexts.with(trace.setSpan(context, span), work),
      set: (more) => void span.setAttributes({ ...more }),
      end: (error) => {
        if (error !== undefined) {
          span.setAttribute('error.type', error).setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end();
      },
    };
  };

  return {
    begin,
    run: async (shape, work, failure) => {
      const span = begin(shape);
      try {
        const result = await span.within(work);
        span.end(failure?.(result));
        return result;
      } catch (error) {
        span.end(error instanceof Error ? error.name : 'Error');
        throw error;
      }
    },
    detached: (work) => contexts.with(ROOT_CONTEXT, work),
    active: () => {
      const context = trace.getSpanContext(contexts.active());
      if (!context || (context.traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
      return formatTraceparent({ ...context, sampled: true });
    },
    close: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

function contextOf(traceparent: string | null): Context {
  const parsed = traceparent === null ? undefined : parseTraceparent(traceparent);
  if (!parsed) return ROOT_CONTEXT;
  const { traceId, spanId, sampled } = parsed;
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function samplerOf(name: SamplerName, ratio: number): Sampler {
  const root = name.endsWith('always_on')
    ? new AlwaysOnSampler()
    : name.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(ratio);
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

/** Says once that the collector does not take spans, and once that it does again. */
function reporting(exporter: SpanExporter, log: Logger): SpanExporter {
  let failing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !failing) log.warn('traces cannot be sent', { reason: result.error?.message });
        if (!failed && failing) log.info('traces are sent again');
        failing = failed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
