import { SERVICES } from '../api/metrics';
import { Service } from '../api/endpoints';
import { Step, increasesOf, ratePerSecond } from './counters';
import { Exposition } from './exposition';

/** What is known of one process's numbers. */
export interface Told {
  readonly service: Service;
  /** When it last told them; milliseconds since 1970. */
  readonly at: number;
  readonly numbers: Exposition;
  /** Its counters of the last minute. */
  readonly steps: readonly Step[];
}

export interface QueueFacts {
  readonly queue: string;
  readonly service: Service;
  readonly deadLetters: boolean;
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** Since SQS said so. */
  readonly ageSeconds: number;
}

export interface OutboxFacts {
  readonly service: Service;
  readonly pending: number;
  readonly oldestSeconds: number;
}

export interface SagaFacts {
  readonly open: readonly Counted[];
  readonly late: number;
  readonly oldestSeconds: number;
}

/** How many there are of something, and how many came in the last minute. */
export interface Counted {
  readonly name: string;
  readonly total: number;
  readonly lastMinute: number;
}

export interface Connections {
  readonly protocol: string;
  readonly live: number;
  readonly catchingUp: number;
  readonly ending: number;
}

export interface PushFacts {
  readonly connections: readonly Connections[];
  readonly deliveries: number;
  readonly deliveriesPerSecond: number | null;
  readonly aborts: readonly Counted[];
  readonly refusals: readonly Counted[];
  readonly resets: number;
  readonly lag: number;
}

export interface CircuitFacts {
  readonly service: Service;
  readonly client: string;
  readonly state: 'half-open' | 'open';
  /** Calls of the last minute that got nothing: a circuit stays open until somebody calls again. */
  readonly unavailable: number;
}

/** What the numbers of all processes say together; what nobody tells is empty or null. */
export interface Facts {
  readonly queues: readonly QueueFacts[];
  readonly outboxes: readonly OutboxFacts[];
  readonly sagas: SagaFacts | null;
  readonly push: PushFacts | null;
  readonly circuits: readonly CircuitFacts[];
  /** Requests of the last minute that ended in an unforeseen error, by service. */
  readonly failures: readonly Counted[];
  /** Log lines of the last minute that were lost, by service. */
  readonly lostLines: readonly Counted[];
}

export function factsOf(told: readonly Told[]): Facts {
  return {
    queues: queuesOf(told),
    outboxes: outboxesOf(told),
    sagas: sagasOf(told),
    push: pushOf(told.filter((each) => each.numbers.of('orderstream_push_connections').length > 0)),
    circuits: circuitsOf(told),
    failures: byService(told, 'orderstream_http_request_seconds_count', { status: '500' }),
    lostLines: byService(told, 'orderstream_log_lines_total', { outcome: 'dropped' }),
  };
}

// replicas tell of the same queues: the one that asked SQS last is believed
function queuesOf(told: readonly Told[]): readonly QueueFacts[] {
  const found = new Map<string, QueueFacts>();
  for (const { service, numbers } of told) {
    for (const sample of numbers.of('orderstream_sqs_messages', { state: 'visible' })) {
      const queue = sample.labels.get('queue') ?? '';
      const of = (state: string): number => numbers.sum('orderstream_sqs_messages', { queue, state }) ?? 0;
      const facts: QueueFacts = {
        queue,
        service,
        deadLetters: numbers.of('orderstream_sqs_in_flight', { queue }).length === 0,
        visible: sample.value,
        inFlight: of('in-flight'),
        delayed: of('delayed'),
        ageSeconds: numbers.max('orderstream_sqs_messages_age_seconds', { queue }) ?? Infinity,
      };
      if (facts.ageSeconds < (found.get(queue)?.ageSeconds ?? Infinity)) found.set(queue, facts);
    }
  }
  return [...found.values()].sort((one, other) => Number(one.deadLetters) - Number(other.deadLetters));
}

// the table is shared by the replicas, each of which measures it every few seconds
function outboxesOf(told: readonly Told[]): readonly OutboxFacts[] {
  return SERVICES.flatMap((service) => {
    const own = told.filter((each) => each.service === service).map((each) => each.numbers);
    const pending = greatest(own, 'orderstream_outbox_pending_events');
    if (pending === null) return [];
    return [{ service, pending, oldestSeconds: greatest(own, 'orderstream_outbox_oldest_pending_seconds') ?? 0 }];
  });
}

function sagasOf(told: readonly Told[]): SagaFacts | null {
  const own = told.map((each) => each.numbers);
  const late = greatest(own, 'orderstream_sagas_late');
  if (late === null) return null;
  const states = labelsOf(told, 'orderstream_sagas_open', 'state');
  return {
    open: states.map((name) => ({
      name,
      total: greatest(own, 'orderstream_sagas_open', { state: name }) ?? 0,
      lastMinute: 0,
    })),
    late,
    oldestSeconds: greatest(own, 'orderstream_sagas_oldest_open_seconds') ?? 0,
  };
}

function pushOf(told: readonly Told[]): PushFacts | null {
  if (told.length === 0) return null;
  const total = (name: string, match?: Readonly<Record<string, string>>): number =>
    told.reduce((sum, each) => sum + (each.numbers.sum(name, match) ?? 0), 0);
  const connections = (protocol: string, state: string): number =>
    total('orderstream_push_connections', { protocol, state });
  return {
    connections: labelsOf(told, 'orderstream_push_connections', 'protocol').map((protocol) => ({
      protocol,
      live: connections(protocol, 'live'),
      catchingUp: connections(protocol, 'catching-up'),
      ending: connections(protocol, 'gone'),
    })),
    deliveries: total('orderstream_push_deliveries_total'),
    deliveriesPerSecond: ratePerSecond(stepsOf(told), 'orderstream_push_deliveries_total'),
    aborts: byLabel(told, 'orderstream_push_aborts_total', 'reason'),
    refusals: byLabel(told, 'orderstream_push_refusals_total', 'reason'),
    resets: total('orderstream_push_resets_total'),
    lag:
      greatest(
        told.map((each) => each.numbers),
        'orderstream_push_feed_lag',
      ) ?? 0,
  };
}

function circuitsOf(told: readonly Told[]): readonly CircuitFacts[] {
  return SERVICES.flatMap((service) => {
    const own = told.filter((each) => each.service === service);
    return labelsOf(own, 'orderstream_client_circuit_state', 'client').flatMap((client): readonly CircuitFacts[] => {
      const state = greatest(
        own.map((each) => each.numbers),
        'orderstream_client_circuit_state',
        { client },
      );
      if (!state) return [];
      const calls = counted(own, client, 'orderstream_client_call_seconds_count', { client, outcome: 'unavailable' });
      return [{ service, client, state: state === 2 ? 'open' : 'half-open', unavailable: calls.lastMinute }];
    });
  });
}

function byService(told: readonly Told[], name: string, match: Readonly<Record<string, string>>): readonly Counted[] {
  return SERVICES.flatMap((service) => {
    const own = told.filter((each) => each.service === service);
    const found = counted(own, service, name, match);
    return found.total > 0 ? [found] : [];
  });
}

function byLabel(told: readonly Told[], name: string, label: string): readonly Counted[] {
  return labelsOf(told, name, label).map((value) => counted(told, value, name, { [label]: value }));
}

function counted(
  told: readonly Told[],
  name: string,
  metric: string,
  match: Readonly<Record<string, string>>,
): Counted {
  return {
    name,
    total: told.reduce((sum, each) => sum + (each.numbers.sum(metric, match) ?? 0), 0),
    lastMinute: increasesOf(stepsOf(told), metric, match).reduce((sum, sample) => sum + sample.value, 0),
  };
}

function stepsOf(told: readonly Told[]): readonly (readonly Step[])[] {
  return told.map((each) => each.steps);
}

function labelsOf(told: readonly Told[], name: string, label: string): readonly string[] {
  const found = told.flatMap((each) => each.numbers.of(name).map((sample) => sample.labels.get(label) ?? ''));
  return [...new Set(found)];
}

function greatest(
  numbers: readonly Exposition[],
  name: string,
  match?: Readonly<Record<string, string>>,
): number | null {
  const found = numbers.map((each) => each.max(name, match)).filter((value) => value !== null);
  return found.length === 0 ? null : Math.max(...found);
}
