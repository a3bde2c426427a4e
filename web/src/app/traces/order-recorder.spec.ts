import { HttpHeaders, HttpResponse } from '@angular/common/http';
import type { Kind, Received } from 'orderstream-client';
import { Subject } from 'rxjs';

import { OrderRecorder, PlacingOrder } from './order-recorder';
import { Span } from './span';

const ORDERS = new URL('https://shop.example/api/orders');

function pushed(orderId: number, kind: Kind): Received {
  const notification = { id: 'e-1', type: '', kind, orderId, version: 1, message: '', occurredAt: '', traceId: '' };
  return { notification, receivedAt: Date.now(), protocol: 'sse' };
}

describe('OrderRecorder', () => {
  let events: Subject<Received>;
  let recent: Received[];
  let spans: Span[];

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000 });
    [events, recent, spans] = [new Subject(), [], []];
  });

  afterEach(() => vi.useRealTimers());

  const placing = (ratio = 1): PlacingOrder =>
    new OrderRecorder(ratio, { events, recent: () => recent }, (span) => spans.push(span)).placing(ORDERS);

  const answer = (id: number, headers: Record<string, string> = {}): HttpResponse<{ id: number }> =>
    new HttpResponse({ status: 201, body: { id }, headers: new HttpHeaders(headers) });

  it('records the request, which the services continue, and the time to the end of the order', () => {
    const order = placing();
    vi.setSystemTime(1_020);
    order.answered(answer(7));
    events.next(pushed(8, 'CLOSED'));
    events.next(pushed(7, 'CREATED'));
    vi.setSystemTime(1_300);
    events.next(pushed(7, 'CLOSED'));
    events.next(pushed(7, 'CLOSED'));
    const [request, end] = spans as [Span, Span];
    expect(spans).toHaveLength(2);
    expect(order.traceparent).toBe(`00-${request.traceId}-${request.spanId}-03`);
    expect(request).toMatchObject({ name: 'place order', startedMs: 1_000, endedMs: 1_020, failed: false });
    expect(request.attributes).toEqual({
      'http.request.method': 'POST',
      'url.full': 'https://shop.example/api/orders',
      'server.address': 'shop.example',
      'http.response.status_code': 201,
      'order.id': 7,
    });
    expect(end).toMatchObject({ name: 'await end', startedMs: 1_000, endedMs: 1_300 });
    expect([end.traceId, end.parentSpanId]).toEqual([request.traceId, request.spanId]);
    expect(end.attributes).toEqual({ 'order.id': 7, 'order.status': 'CLOSED' });
  });

  it('knows an end that was pushed before the answer', () => {
    const order = placing();
    recent = [pushed(7, 'FAILED')];
    order.answered(answer(7));
    expect(spans.map((span) => span.name)).toEqual(['place order', 'await end']);
  });

  it('awaits no end of an order that was placed before', () => {
    recent = [pushed(7, 'CLOSED')];
    placing().answered(answer(7, { 'Idempotent-Replayed': 'true' }));
    expect(spans.map((span) => span.name)).toEqual(['place order']);
  });

  it.each([
    [503, { 'http.response.status_code': 503, 'error.type': '503' }],
    [0, { 'error.type': 'unanswered' }],
  ])('records a request that failed with %d', (status, attributes) => {
    placing().failed(status);
    expect(spans).toMatchObject([{ failed: true, attributes }]);
  });

  it('records nothing of a trace that is not sampled', () => {
    const order = placing(0);
    expect(order.traceparent).toMatch(/-02$/);
    order.answered(answer(7));
    events.next(pushed(7, 'CLOSED'));
    expect(spans).toEqual([]);
  });
});
