import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A span as OTLP/HTTP brings it, attributes as a plain object. */
export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly links: readonly string[];
  readonly failed: boolean;
}

export interface Collector {
  readonly url: string;
  /** Everything that was sent, as text. */
  readonly bodies: string[];
  spans(): SentSpan[];
  /** `service.name` and its like. */
  resource(): Readonly<Record<string, string | number>>;
  close(): Promise<void>;
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string };
}

interface Otlp {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly kind: number;
        readonly attributes: readonly KeyValue[];
        readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
        readonly status: { readonly code?: number };
      }[];
    }[];
  }[];
}

const STATUS_ERROR = 2;

const plain = (pairs: readonly KeyValue[]): Record<string, string | number> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]));

/** Takes traces over OTLP/HTTP, as an OpenTelemetry collector does. */
export async function openCollector(): Promise<Collector> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.url === '/v1/traces') bodies.push(body);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sent = (): Otlp['resourceSpans'] => bodies.flatMap((b) => (JSON.parse(b) as Otlp).resourceSpans);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    spans: () =>
      sent()
        .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
        .map(({ traceId, spanId, parentSpanId, name, kind, attributes, links = [], status }) => ({
          traceId,
          spanId,
          parentSpanId,
          name,
          kind,
          attributes: plain(attributes),
          links: links.map((link) => `00-${link.traceId}-${link.spanId}-01`),
          failed: status.code === STATUS_ERROR,
        })),
    resource: () => plain(sent()[0]?.resource.attributes ?? []),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
