import { CounterDelta } from './counter-tracker';
import { parseExposition } from './exposition';
import { ProcessMetrics, statsOf } from './stats';
import { HISTORY_MS, HistoryPoint, byMinute, historyPointOf, withPoint } from './history';

function metricsOf(service: ProcessMetrics['service'], metrics: string, ...deltas: readonly string[]): ProcessMetrics {
  const every5s = deltas.map((text, index): CounterDelta => ({
    at: 5000 * (index + 1),
    seconds: 5,
    increases: parseExposition(text),
  }));
  return { service, at: 1, metrics: parseExposition(metrics), deltas: every5s };
}

function values(...all: readonly ProcessMetrics[]): HistoryPoint['values'] {
  return historyPointOf(1, all, statsOf(all)).values;
}

describe('historyPointOf', () => {
  it('counts orders per minute', () => {
    const orders = metricsOf(
      'order',
      '',
      'orderstream_http_request_seconds_count{method="POST",route="/orders",status="201"} 10\n' +
        'orderstream_http_request_seconds_count{method="POST",route="/orders",status="409"} 7\n',
      'orderstream_http_request_seconds_count{method="POST",route="/orders",status="201"} 5\n',
    );
    const sagas = metricsOf('processing', '', 'orderstream_saga_seconds_count{state="DONE"} 4');
    expect(values(orders, sagas)).toMatchObject({
      placed: 90,
      refused: 42,
      closed: 48,
      failed: 0,
      requestsRefused: 7,
      requestsFailed: 0,
    });
  });

  it('sums replicas', () => {
    const text = 'orderstream_http_request_seconds_count{method="POST",route="/orders",status="201"} 5\n';
    expect(values(metricsOf('order', '', text), metricsOf('order', '', text)).placed).toBe(120);
  });

  it('has no rate before the second poll', () => {
    expect(
      values(
        metricsOf('order', 'orderstream_http_request_seconds_count{method="POST",route="/orders",status="201"} 5'),
      ),
    ).toEqual({});
  });

  it('has percentiles over all replicas', () => {
    const bucket = (le: string, status: string, count: number): string =>
      `orderstream_http_request_seconds_bucket{le="${le}",method="POST",route="/orders",status="${status}"} ${count.toString()}\n`;
    const refused = bucket('0.1', '503', 900) + bucket('0.2', '503', 900) + bucket('+Inf', '503', 900);
    const one = metricsOf(
      'order',
      '',
      bucket('0.1', '201', 5) + bucket('0.2', '201', 9) + bucket('+Inf', '201', 9) + refused,
    );
    const other = metricsOf('order', '', bucket('0.1', '201', 0) + bucket('0.2', '201', 1) + bucket('+Inf', '201', 1));
    const found = values(one, other);
    expect(found.placing50).toBeCloseTo(0.1);
    expect(found.placing95).toBeCloseTo(0.19);
  });

  it('has the depth of each queue and of all dead-letter queues', () => {
    const depth = (queue: string, state: string, number: number): string =>
      `orderstream_sqs_messages{queue="${queue}",state="${state}"} ${number.toString()}\norderstream_sqs_messages_age_seconds{queue="${queue}"} 1\n`;
    const found = values(
      metricsOf(
        'processing',
        depth('p', 'visible', 2) +
          depth('p', 'in-flight', 3) +
          'orderstream_sqs_in_flight{queue="p"} 3\n' +
          depth('p-dlq', 'visible', 1),
      ),
      metricsOf(
        'notification',
        depth('n', 'visible', 0) + 'orderstream_sqs_in_flight{queue="n"} 0\n' + depth('n-dlq', 'visible', 4),
      ),
    );
    expect(found).toEqual({ processingQueue: 5, notificationQueue: 0, deadLetters: 5 });
  });
});

describe('withPoint', () => {
  const at = (ms: number): HistoryPoint => ({ at: ms, values: {} });

  it('keeps fifteen minutes', () => {
    let history: readonly HistoryPoint[] = [];
    for (let ms = 0; ms <= 2 * HISTORY_MS; ms += 5000) history = withPoint(history, at(ms));
    expect(history.length).toBe(180);
    expect(history[0]?.at).toBe(HISTORY_MS + 5000);
  });

  it('stays in order when the clock was set back', () => {
    expect(withPoint([at(1000), at(9000)], at(5000)).map((each) => each.at)).toEqual([1000, 5000]);
  });
});

describe('byMinute', () => {
  it('has the last point of each minute, the newest first', () => {
    const history = [1000, 59_000, 61_000, 185_000].map((at): HistoryPoint => ({ at, values: {} }));
    expect(byMinute(history).map((each) => each.at)).toEqual([185_000, 61_000, 59_000]);
  });
});
