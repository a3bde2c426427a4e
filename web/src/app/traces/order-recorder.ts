import type { HttpResponse } from '@angular/common/http';
import type { Received } from 'orderstream-client';
import type { Observable } from 'rxjs';

import { SpanKind, Span, TraceContext, newSpanId, newTrace, traceparent } from './span';

/** Where the feed says how orders end. */
export interface Pushes {
  readonly events: Observable<Received>;
  /** The newest first. */
  recent(): readonly Received[];
}

/** A request that places an order, from the click on. */
export interface PlacingOrder {
  readonly traceparent: string;
  answered(response: HttpResponse<{ readonly id: number }>): void;
  /** *status* is that of the answer, 0 without one. */
  failed(status: number): void;
}

const ENDS: ReadonlySet<string> = new Set(['CLOSED', 'FAILED', 'CANCELLED']);
/** Of orders whose end is waited for; the oldest is given up. */
const MAX_AWAITED = 64;

/**
 * Records each placed order as a trace: `place order`, from the click to the answer, and below it `await end`, from the
 * click until the page was told of the end of the order.
 */
export class OrderRecorder {
  private readonly awaited = new Map<number, { readonly trace: TraceContext; readonly startedMs: number }>();

  constructor(
    private readonly ratio: number,
    private readonly pushes: Pushes,
    private readonly put: (span: Span) => void,
  ) {
    pushes.events.subscribe((received) => this.end(received));
  }

  /** Begins a trace; *url* is where the order is sent. */
  placing(url: URL): PlacingOrder {
    const trace = newTrace(this.ratio);
    const startedMs = Date.now();
    const end = (attributes: Span['attributes'], failed: boolean): void => {
      if (trace.sampled) this.put(placed(trace, url, startedMs, attributes, failed));
    };
    return {
      traceparent: traceparent(trace),
      answered: (response) => {
        const order = response.body;
        end({ 'http.response.status_code': response.status, ...(order && { 'order.id': order.id }) }, false);
        // the answer to a repeated request has an order of another trace
        const isNew = order !== null && !response.headers.has('Idempotent-Replayed');
        if (trace.sampled && isNew) this.await(order.id, { trace, startedMs });
      },
      failed: (status) => {
        const answer = status === 0 ? {} : { 'http.response.status_code': status };
        end({ ...answer, 'error.type': status === 0 ? 'unanswered' : status.toString() }, true);
      },
    };
  }

  private await(orderId: number, awaiting: { readonly trace: TraceContext; readonly startedMs: number }): void {
    this.awaited.set(orderId, awaiting);
    // the push may have been faster than the answer
    for (const received of this.pushes.recent()) this.end(received);
    const [oldest] = this.awaited.keys();
    if (oldest !== undefined && this.awaited.size > MAX_AWAITED) this.awaited.delete(oldest);
  }

  private end({ notification: { orderId, kind }, receivedAt }: Received): void {
    const awaiting = this.awaited.get(orderId);
    if (awaiting === undefined || !ENDS.has(kind)) return;
    this.awaited.delete(orderId);
    this.put({
      traceId: awaiting.trace.traceId,
      spanId: newSpanId(),
      parentSpanId: awaiting.trace.spanId,
      name: 'await end',
      kind: SpanKind.internal,
      startedMs: awaiting.startedMs,
      endedMs: receivedAt,
      attributes: { 'order.id': orderId, 'order.status': kind },
    });
  }
}

function placed(
  { traceId, spanId }: TraceContext,
  url: URL,
  startedMs: number,
  attributes: Span['attributes'],
  failed: boolean,
): Span {
  // https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
  const request = { 'http.request.method': 'POST', 'url.full': url.href, 'server.address': url.hostname };
  return {
    ...{ traceId, spanId, name: 'place order', kind: SpanKind.client, startedMs, endedMs: Date.now() },
    attributes: { ...request, ...attributes },
    failed,
  };
}
