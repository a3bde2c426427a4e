import { Step } from './counters';
import { parseExposition } from './exposition';
import { Told, factsOf } from './facts';

function told(service: Told['service'], numbers: string, ...steps: readonly string[]): Told {
  const every5s = steps.map((text, index): Step => ({
    at: 5000 * (index + 1),
    seconds: 5,
    increases: parseExposition(text),
  }));
  return { service, at: 1, numbers: parseExposition(numbers), steps: every5s };
}

describe('factsOf', () => {
  it('makes nothing up', () => {
    const nothing = { queues: [], outboxes: [], sagas: null, push: null, circuits: [], failures: [], lostLines: [] };
    expect(factsOf([])).toEqual(nothing);
    expect(factsOf([told('order', 'process_open_fds 7')])).toEqual(nothing);
  });

  it('believes the replica that asked SQS last', () => {
    const depth = (age: number, visible: number): string =>
      `orderstream_sqs_messages{queue="n",state="visible"} ${visible.toString()}
orderstream_sqs_messages{queue="n",state="in-flight"} 2
orderstream_sqs_messages{queue="n",state="delayed"} 1
orderstream_sqs_in_flight{queue="n"} 0
orderstream_sqs_messages_age_seconds{queue="n"} ${age.toString()}\n`;
    expect(factsOf([told('notification', depth(9, 50)), told('notification', depth(2, 40))]).queues).toEqual([
      { queue: 'n', service: 'notification', deadLetters: false, visible: 40, inFlight: 2, delayed: 1, ageSeconds: 2 },
    ]);
  });

  it('takes a queue that nobody consumes for dead letters, and puts it last', () => {
    const text = `orderstream_sqs_messages{queue="a-dlq",state="visible"} 1
orderstream_sqs_messages_age_seconds{queue="a-dlq"} 1
orderstream_sqs_messages{queue="a",state="visible"} 0
orderstream_sqs_messages_age_seconds{queue="a"} 1
orderstream_sqs_in_flight{queue="a"} 0\n`;
    expect(factsOf([told('processing', text)]).queues.map((each) => [each.queue, each.deadLetters])).toEqual([
      ['a', false],
      ['a-dlq', true],
    ]);
  });

  it('has one outbox a service, however many replicas tell of it', () => {
    const outbox = (pending: number, age: number): string =>
      `orderstream_outbox_pending_events ${pending.toString()}\norderstream_outbox_oldest_pending_seconds ${age.toString()}\n`;
    const all = [told('order', outbox(3, 1)), told('order', outbox(5, 2)), told('processing', outbox(0, 0))];
    expect(factsOf(all).outboxes).toEqual([
      { service: 'order', pending: 5, oldestSeconds: 2 },
      { service: 'processing', pending: 0, oldestSeconds: 0 },
    ]);
  });

  it('has the open sagas by state', () => {
    const text = `orderstream_sagas_open{state="STARTED"} 2
orderstream_sagas_open{state="RELEASING"} 0
orderstream_sagas_late 1
orderstream_sagas_oldest_open_seconds 33.5\n`;
    expect(factsOf([told('processing', text)]).sagas).toMatchObject({
      open: [
        { name: 'STARTED', total: 2 },
        { name: 'RELEASING', total: 0 },
      ],
      late: 1,
      oldestSeconds: 33.5,
    });
  });

  it('adds up the connections of all replicas', () => {
    const text = `orderstream_push_connections{protocol="sse",state="live"} 3
orderstream_push_connections{protocol="sse",state="catching-up"} 1
orderstream_push_connections{protocol="ws",state="gone"} 1
orderstream_push_deliveries_total 10
orderstream_push_aborts_total{reason="stalled"} 2
orderstream_push_feed_lag 4\n`;
    const steps = 'orderstream_push_deliveries_total 10\norderstream_push_aborts_total{reason="stalled"} 1';
    const push = factsOf([told('notification', text, steps), told('notification', text, steps)]).push;
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

  it('names circuits that are not closed', () => {
    const text = `orderstream_client_circuit_state{client="inventory-service"} 2
orderstream_client_circuit_state{client="order-service"} 0\n`;
    const half = 'orderstream_client_circuit_state{client="inventory-service"} 1';
    const calls = 'orderstream_client_call_seconds_count{client="inventory-service",call="x",outcome="unavailable"} 7';
    expect(factsOf([told('processing', text, calls), told('order', half)]).circuits).toEqual([
      { service: 'order', client: 'inventory-service', state: 'half-open', unavailable: 0 },
      { service: 'processing', client: 'inventory-service', state: 'open', unavailable: 7 },
    ]);
  });

  it('counts unforeseen errors and lost log lines', () => {
    const text = `orderstream_http_request_seconds_count{method="GET",route="/",status="500"} 7
orderstream_http_request_seconds_count{method="GET",route="/",status="200"} 90
orderstream_log_lines_total{outcome="dropped"} 0\n`;
    const step = 'orderstream_http_request_seconds_count{method="GET",route="/",status="500"} 2';
    const facts = factsOf([told('order', text, step, step)]);
    expect(facts.failures).toEqual([{ name: 'order', total: 7, lastMinute: 4 }]);
    expect(facts.lostLines).toEqual([]);
  });
});
