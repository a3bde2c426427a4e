import { CounterDelta } from './counter-tracker';
import { parseExposition } from './exposition';
import { ProcessMetrics } from './stats';
import { saturationOf, trafficOf } from './traffic';

function metricsOf(service: ProcessMetrics['service'], metrics: string, ...deltas: readonly string[]): ProcessMetrics {
  const every5s = deltas.map((text, index): CounterDelta => ({
    at: 5000 * (index + 1),
    seconds: 5,
    increases: parseExposition(text),
  }));
  return { service, at: 1, metrics: parseExposition(metrics), deltas: every5s };
}

function requests(route: string, status: string, count: number): string {
  const labels = `method="GET",route="${route}",status="${status}"`;
  return ['0.1', '+Inf']
    .map((le) => `orderstream_http_request_seconds_bucket{${labels},le="${le}"} ${count.toString()}`)
    .concat(`orderstream_http_request_seconds_count{${labels}} ${count.toString()}`, '')
    .join('\n');
}

describe('trafficOf', () => {
  it('counts requests by kind of answer, without probes and what operators read', () => {
    const order = metricsOf(
      'order',
      '',
      [
        '/health/ready',
        '/metrics',
        '/sagas',
        '/sagas/{order_id}',
        '/order/events',
        '/dead-letters',
        '/stock-operations',
      ]
        .map((route) => requests(route, '503', 9))
        .join('') + requests('/orders', '200', 6),
      requests('/orders', '503', 2) + requests('/orders', '429', 1) + requests('/orders', '409', 1),
    );
    expect(trafficOf([order])).toEqual([
      {
        service: 'order',
        requests: 10,
        failed: 2,
        refused: 1,
        limited: 1,
        statuses: [
          { name: '200', total: 6, lastMinute: 6 },
          { name: '409', total: 1, lastMinute: 1 },
          { name: '429', total: 1, lastMinute: 1 },
          { name: '503', total: 2, lastMinute: 2 },
        ],
        p95Seconds: 0.095,
      },
    ]);
  });

  it('sums replicas, and is unknown before the second poll', () => {
    const one = metricsOf('inventory', '', requests('/inventory', '200', 2));
    expect(trafficOf([one, one])[0]?.requests).toBe(4);
    expect(trafficOf([metricsOf('inventory', requests('/inventory', '200', 2))])).toEqual([]);
  });

  it('has no percentile without requests', () => {
    expect(trafficOf([metricsOf('order', '', 'a_total 1')])[0]).toMatchObject({ requests: 0, p95Seconds: null });
  });
});

describe('saturationOf', () => {
  it('is that of the fullest replica', () => {
    const replica = (files: number, cpu: number): ProcessMetrics =>
      metricsOf(
        'processing',
        `process_open_fds ${files.toString()}\nprocess_max_fds 100\norderstream_sqs_in_flight{queue="q"} 3\n` +
          'orderstream_database_connections{state="busy"} 6\norderstream_database_connections{state="limit"} 8\n' +
          'orderstream_database_connections{state="waiting"} 2\n',
        `process_cpu_seconds_total ${cpu.toString()}\n` +
          ['0.01', '+Inf'].map((le) => `orderstream_event_loop_lag_seconds_bucket{le="${le}"} 100\n`).join(''),
      );
    expect(saturationOf([replica(10, 1), replica(40, 0.5)])).toEqual([
      {
        service: 'processing',
        cpu: 0.2,
        memoryBytes: null,
        connections: null,
        files: 0.4,
        inFlight: 3,
        loopLagSeconds: 0.0099,
        pool: 0.75,
        waiting: 2,
      },
    ]);
  });
});
