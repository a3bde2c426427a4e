import { Span, SpanKind, exportRequest, newTrace, traceparent } from './span';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN_ID = '00f067aa0ba902b7';

const hex = (traceId: string) => (bytes: number) => (bytes === 16 ? traceId : SPAN_ID);

describe('newTrace', () => {
  it('has random ids', () => {
    const [one, another] = [newTrace(1), newTrace(1)];
    expect(one.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(one.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(one.traceId).not.toBe(another.traceId);
  });

  it.each([
    [0, '00000000000000', false],
    [0.5, '7fffffffffffff', true],
    [0.5, '80000000000000', false],
    [1, 'ffffffffffffff', true],
  ])('of the ratio %d decides by the last seven bytes, %s', (ratio, random, sampled) => {
    expect(newTrace(ratio, hex(`${'f'.repeat(18)}${random}`)).sampled).toBe(sampled);
  });
});

describe('traceparent', () => {
  it('says whether the trace is sampled, and that its id is random', () => {
    const trace = { traceId: ID, spanId: SPAN_ID };
    expect(traceparent({ ...trace, sampled: true })).toBe(`00-${ID}-${SPAN_ID}-03`);
    expect(traceparent({ ...trace, sampled: false })).toBe(`00-${ID}-${SPAN_ID}-02`);
  });
});

describe('exportRequest', () => {
  it('is OTLP in JSON: ids in hex, 64-bit numbers as text', () => {
    const span: Span = {
      traceId: ID,
      spanId: SPAN_ID,
      name: 'place order',
      kind: SpanKind.client,
      startedMs: 1_795_797_600_123,
      endedMs: 1_795_797_600_140.6,
      attributes: { 'http.request.method': 'POST', 'http.response.status_code': 503 },
      failed: true,
    };
    expect(exportRequest([span])).toMatchObject({
      resourceSpans: [
        {
          resource: { attributes: expect.arrayContaining([{ key: 'service.name', value: { stringValue: 'web' } }]) },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: ID,
                  spanId: SPAN_ID,
                  name: 'place order',
                  kind: 3,
                  flags: 3,
                  startTimeUnixNano: '1795797600123000000',
                  endTimeUnixNano: '1795797600140000000',
                  attributes: [
                    { key: 'http.request.method', value: { stringValue: 'POST' } },
                    { key: 'http.response.status_code', value: { intValue: '503' } },
                  ],
                  status: { code: 2 },
                },
              ],
            },
          ],
        },
      ],
    });
  });
});
