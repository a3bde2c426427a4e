import { CounterDelta } from './counter-tracker';
import { parseExposition } from './exposition';
import { ProcessMetrics, statsOf } from './stats';

function metricsOf(service: ProcessMetrics['service'], metrics: string, ...deltas: readonly string[]): ProcessMetrics {
  const every5s = deltas.map((text, index): CounterDelta => ({
    at: 5000 * (index + 1),
    seconds: 5,
    increases: parseExposition(text),
  }));
  return { service, at: 1, metrics: parseExposition(metrics), deltas: every5s };
}

describe('statsOf', () => {
  it('is empty without metrics', () => {
    const nothing = {
      queues: [],
      outboxes: [],
      sagas: null,
      push: null,
      traffic: [],
      saturation: [],
      refusals: { orders: [], problems: [], limits: [], cut: [] },
      circuits: [],
      failures: [],
      lostLines: [],
    };
    expect(statsOf([])).toEqual(nothing);
  });

  it('uses the most recent depth', () => {
    const depth = (age: number, visible: number): string =>
      `orderstream_sqs_messages{queue="n",state="visible"} ${visible.toString()}
orderstream_sqs_messages{queue="n",state="in-flight"} 2
orderstream_sqs_messages{queue="n",state="delayed"} 1
orderstream_sqs_in_flight{queue="n"} 0
orderstream_sqs_messages_age_seconds{queue="n"} ${age.toString()}\n`;
    expect(statsOf([metricsOf('notification', depth(9, 50)), metricsOf('notification', depth(2, 40))]).queues).toEqual([
      { queue: 'n', service: 'notification', deadLetters: false, visible: 40, inFlight: 2, delayed: 1, ageSeconds: 2 },
    ]);
  });

  it('treats a queue without a consumer as a dead-letter queue, listed last', () => {
    const text = `orderstream_sqs_messages{queue="a-dlq",state="visible"} 1
orderstream_sqs_messages_age_seconds{queue="a-dlq"} 1
orderstream_sqs_messages{queue="a",state="visible"} 0
orderstream_sqs_messages_age_seconds{queue="a"} 1
orderstream_sqs_in_flight{queue="a"} 0\n`;
    expect(statsOf([metricsOf('processing', text)]).queues.map((each) => [each.queue, each.deadLetters])).toEqual([
      ['a', false],
      ['a-dlq', true],
    ]);
  });

  it('has one outbox a service', () => {
    const outbox = (pending: number, age: number): string =>
      `orderstream_outbox_pending_events ${pending.toString()}\norderstream_outbox_oldest_pending_seconds ${age.toString()}\n`;
    const all = [
      metricsOf('order', outbox(3, 1)),
      metricsOf('order', outbox(5, 2)),
      metricsOf('processing', outbox(0, 0)),
    ];
    expect(statsOf(all).outboxes).toEqual([
      { service: 'order', current: true, pending: 5, oldestSeconds: 2 },
      { service: 'processing', current: true, pending: 0, oldestSeconds: 0 },
    ]);
  });

  it('has what no replica can read as of the last read', () => {
    const backlog = (
      passed: number,
    ): string => `orderstream_readiness_check_passed{check="database"} ${passed.toString()}
orderstream_outbox_pending_events 3
orderstream_sagas_late 1\n`;
    const current = (...passed: number[]): unknown => {
      const { outboxes, sagas } = statsOf(passed.map((each) => metricsOf('processing', backlog(each))));
      return [outboxes[0]?.current, sagas?.current];
    };
    expect([current(0, 1), current(0, 0)]).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  it('has the open sagas by state', () => {
    const text = `orderstream_sagas_open{state="STARTED"} 2
orderstream_sagas_open{state="RELEASING"} 0
orderstream_sagas_late 1
orderstream_sagas_oldest_open_seconds 33.5\n`;
    expect(statsOf([metricsOf('processing', text)]).sagas).toMatchObject({
      open: [
        { name: 'STARTED', total: 2 },
        { name: 'RELEASING', total: 0 },
      ],
      late: 1,
      oldestSeconds: 33.5,
    });
  });

  it('sums the connections of all replicas', () => {
    const text = `orderstream_push_connections{protocol="sse",state="live"} 3
orderstream_push_connections{protocol="sse",state="catching-up"} 1
orderstream_push_connections{protocol="ws",state="gone"} 1
orderstream_push_deliveries_total 10
orderstream_push_aborts_total{reason="stalled"} 2
orderstream_push_feed_lag 4\n`;
    const deltas = 'orderstream_push_deliveries_total 10\norderstream_push_aborts_total{reason="stalled"} 1';
    const push = statsOf([metricsOf('notification', text, deltas), metricsOf('notification', text, deltas)]).push;
    expect(push).toEqual({
      connections: [
        { protocol: 'sse', live: 6, catchingUp: 2, ending: 0 },
        { protocol: 'ws', live: 0, catchingUp: 0, ending: 2 },
      ],
      deliveries: 20,
      deliveriesPerSecond: 4,
      aborts: [{ name: 'stalled', total: 4, lastMinute: 2 }],
      refusals: [],
      resets: 0,
      lag: 4,
    });
  });

  it('does not know the lag of a replica that can’t read the feed', () => {
    const text = (passed: number): string => `orderstream_readiness_check_passed{check="database"} ${passed.toString()}
orderstream_push_connections{protocol="sse",state="live"} 3
orderstream_push_feed_lag 4\n`;
    const lag = (...passed: number[]): unknown =>
      statsOf(passed.map((each) => metricsOf('notification', text(each)))).push?.lag;
    expect([lag(1, 1), lag(1, 0)]).toEqual([4, null]);
  });

  it('names circuits that are not closed', () => {
    const text = `orderstream_client_circuit_state{client="inventory-service"} 2
orderstream_client_circuit_state{client="order-service"} 0\n`;
    const half = 'orderstream_client_circuit_state{client="inventory-service"} 1';
    const calls = 'orderstream_client_call_seconds_count{client="inventory-service",call="x",outcome="unavailable"} 7';
    expect(statsOf([metricsOf('processing', text, calls), metricsOf('order', half)]).circuits).toEqual([
      { service: 'order', client: 'inventory-service', state: 'half-open', unavailable: 0 },
      { service: 'processing', client: 'inventory-service', state: 'open', unavailable: 7 },
    ]);
  });

  it('counts responses with status 500 and dropped log lines', () => {
    const text = `orderstream_http_request_seconds_count{method="GET",route="/",status="500"} 7
orderstream_http_request_seconds_count{method="GET",route="/",status="200"} 90
orderstream_log_lines_total{outcome="dropped"} 0\n`;
    const step = 'orderstream_http_request_seconds_count{method="GET",route="/",status="500"} 2';
    const stats = statsOf([metricsOf('order', text, step, step)]);
    expect(stats.failures).toEqual([{ name: 'order', total: 7, lastMinute: 4 }]);
    expect(stats.lostLines).toEqual([]);
  });

  it('counts orders that were refused, by status', () => {
    const placed = (status: string, number: number): string =>
      `orderstream_http_request_seconds_count{method="POST",route="/orders",status="${status}"} ${number.toString()}\n`;
    const order = metricsOf(
      'order',
      placed('201', 9) +
        placed('409', 0) +
        placed('503', 24) +
        'orderstream_http_requests_refused_total{limit="address"} 3\n' +
        'orderstream_http_problems_total{reason="unavailable"} 24\norderstream_http_problems_total{reason="invalid"} 0',
      placed('201', 1) + placed('503', 20),
    );
    const { refusals } = statsOf([order, metricsOf('inventory', placed('422', 7))]);
    expect(refusals.orders).toEqual([{ name: '503', total: 24, lastMinute: 20 }]);
    expect(refusals.limits).toEqual([{ name: 'address', total: 3, lastMinute: 0 }]);
    expect(refusals.problems).toEqual([{ name: 'unavailable', total: 24, lastMinute: 0 }]);
    expect(refusals.cut).toEqual([]);
  });
});
