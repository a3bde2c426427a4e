import { SERVICES } from '../api/endpoints';
import { Service } from '../api/endpoints';
import { CounterDelta, increasesOf, ratePerSecond } from './counter-tracker';
import { Exposition } from './exposition';
import { Saturation, Traffic, saturationOf, trafficOf } from './traffic';

/** The metrics of one process. */
export interface ProcessMetrics {
  readonly service: Service;
  /** The time of the scrape; milliseconds since 1970. */
  readonly at: number;
  readonly metrics: Exposition;
  /** The increases of its counters in the last minute. */
  readonly deltas: readonly CounterDelta[];
}

export interface QueueStats {
  readonly queue: string;
  readonly service: Service;
  readonly deadLetters: boolean;
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** The age of the depth from SQS. */
  readonly ageSeconds: number;
}

export interface OutboxStats {
  readonly service: Service;
  /** Whether a replica can read the table; otherwise the numbers are as of the last read. */
  readonly current: boolean;
  readonly pending: number;
  readonly oldestSeconds: number;
}

export interface SagaStats {
  /** Whether a replica can read the table; otherwise the numbers are as of the last read. */
  readonly current: boolean;
  readonly open: readonly Counted[];
  readonly late: number;
  readonly oldestSeconds: number;
}

/** A counter's total, and its increase in the last minute. */
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

export interface PushStats {
  readonly connections: readonly Connections[];
  readonly deliveries: number;
  readonly deliveriesPerSecond: number | null;
  readonly aborts: readonly Counted[];
  readonly refusals: readonly Counted[];
  readonly resets: number;
  /** Null while a replica can't read the feed: what it says is as of its last read. */
  readonly lag: number | null;
}

export interface CircuitStats {
  readonly service: Service;
  readonly client: string;
  readonly state: 'half-open' | 'open';
  /** Rejected calls in the last minute: an open circuit breaker changes state only at the next call. */
  readonly unavailable: number;
}

/** What was refused before it was worked on; those of a reason that never occurred are absent. */
export interface RefusalStats {
  /** Orders that were not placed, by the status of the answer. */
  readonly orders: readonly Counted[];
  /** Problem documents of all services, by the end of their type. */
  readonly problems: readonly Counted[];
  /** Requests over a limit, by limit. */
  readonly limits: readonly Counted[];
  /** Connections that were cut, by reason. */
  readonly cut: readonly Counted[];
}

/** The aggregated metrics of all processes; unreported parts are empty or null. */
export interface SystemStats {
  readonly queues: readonly QueueStats[];
  readonly outboxes: readonly OutboxStats[];
  readonly sagas: SagaStats | null;
  readonly push: PushStats | null;
  readonly traffic: readonly Traffic[];
  readonly saturation: readonly Saturation[];
  readonly refusals: RefusalStats;
  readonly circuits: readonly CircuitStats[];
  /** Requests of the last minute with status 500, by service. */
  readonly failures: readonly Counted[];
  /** Dropped log lines of the last minute, by service. */
  readonly lostLines: readonly Counted[];
}

export function statsOf(processes: readonly ProcessMetrics[]): SystemStats {
  return {
    queues: queuesOf(processes),
    outboxes: outboxesOf(processes),
    sagas: sagasOf(processes),
    push: pushOf(processes.filter((each) => each.metrics.of('orderstream_push_connections').length > 0)),
    traffic: trafficOf(processes),
    saturation: saturationOf(processes),
    refusals: {
      orders: byLabel(
        processes.filter((each) => each.service === 'order'),
        'orderstream_http_request_seconds_count',
        'status',
        { method: 'POST', route: '/orders' },
      ).filter((each) => each.name !== '201' && each.total > 0),
      problems: some(byLabel(processes, 'orderstream_http_problems_total', 'reason')),
      limits: some(byLabel(processes, 'orderstream_http_requests_refused_total', 'limit')),
      cut: some(byLabel(processes, 'orderstream_http_connections_cut_total', 'reason')),
    },
    circuits: circuitsOf(processes),
    failures: byService(processes, 'orderstream_http_request_seconds_count', { status: '500' }),
    lostLines: byService(processes, 'orderstream_log_lines_total', { outcome: 'dropped' }),
  };
}

// replicas report the same queues: the most recent depth is used
function queuesOf(processes: readonly ProcessMetrics[]): readonly QueueStats[] {
  const found = new Map<string, QueueStats>();
  for (const { service, metrics } of processes) {
    for (const sample of metrics.of('orderstream_sqs_messages', { state: 'visible' })) {
      const queue = sample.labels.get('queue') ?? '';
      const of = (state: string): number => metrics.sum('orderstream_sqs_messages', { queue, state }) ?? 0;
      const stats: QueueStats = {
        queue,
        service,
        deadLetters: metrics.of('orderstream_sqs_in_flight', { queue }).length === 0,
        visible: sample.value,
        inFlight: of('in-flight'),
        delayed: of('delayed'),
        ageSeconds: metrics.max('orderstream_sqs_messages_age_seconds', { queue }) ?? Infinity,
      };
      if (stats.ageSeconds < (found.get(queue)?.ageSeconds ?? Infinity)) found.set(queue, stats);
    }
  }
  return [...found.values()].sort((one, other) => Number(one.deadLetters) - Number(other.deadLetters));
}

// replicas share the table, and each measures it every few seconds
function outboxesOf(processes: readonly ProcessMetrics[]): readonly OutboxStats[] {
  return SERVICES.flatMap((service) => {
    const own = processes.filter((each) => each.service === service).map((each) => each.metrics);
    const pending = maximum(own, 'orderstream_outbox_pending_events');
    if (pending === null) return [];
    const oldestSeconds = maximum(own, 'orderstream_outbox_oldest_pending_seconds') ?? 0;
    return [{ service, current: own.some(readsDatabase), pending, oldestSeconds }];
  });
}

function sagasOf(processes: readonly ProcessMetrics[]): SagaStats | null {
  const own = processes.map((each) => each.metrics).filter((each) => each.of('orderstream_sagas_late').length > 0);
  const late = maximum(own, 'orderstream_sagas_late');
  if (late === null) return null;
  const states = labelsOf(processes, 'orderstream_sagas_open', 'state');
  return {
    current: own.some(readsDatabase),
    open: states.map((name) => ({
      name,
      total: maximum(own, 'orderstream_sagas_open', { state: name }) ?? 0,
      lastMinute: 0,
    })),
    late,
    oldestSeconds: maximum(own, 'orderstream_sagas_oldest_open_seconds') ?? 0,
  };
}

function pushOf(processes: readonly ProcessMetrics[]): PushStats | null {
  if (processes.length === 0) return null;
  const total = (name: string, match?: Readonly<Record<string, string>>): number =>
    processes.reduce((sum, each) => sum + (each.metrics.sum(name, match) ?? 0), 0);
  const connections = (protocol: string, state: string): number =>
    total('orderstream_push_connections', { protocol, state });
  return {
    connections: labelsOf(processes, 'orderstream_push_connections', 'protocol').map((protocol) => ({
      protocol,
      live: connections(protocol, 'live'),
      catchingUp: connections(protocol, 'catching-up'),
      ending: connections(protocol, 'gone'),
    })),
    deliveries: total('orderstream_push_deliveries_total'),
    deliveriesPerSecond: ratePerSecond(deltasOf(processes), 'orderstream_push_deliveries_total'),
    aborts: byLabel(processes, 'orderstream_push_aborts_total', 'reason'),
    refusals: byLabel(processes, 'orderstream_push_refusals_total', 'reason'),
    resets: total('orderstream_push_resets_total'),
    lag: lagOf(processes.map((each) => each.metrics)),
  };
}

function lagOf(metrics: readonly Exposition[]): number | null {
  return metrics.every(readsDatabase) ? (maximum(metrics, 'orderstream_push_feed_lag') ?? 0) : null;
}

function readsDatabase(metrics: Exposition): boolean {
  return metrics.sum('orderstream_readiness_check_passed', { check: 'database' }) !== 0;
}

function circuitsOf(processes: readonly ProcessMetrics[]): readonly CircuitStats[] {
  return SERVICES.flatMap((service) => {
    const own = processes.filter((each) => each.service === service);
    return labelsOf(own, 'orderstream_client_circuit_state', 'client').flatMap((client): readonly CircuitStats[] => {
      const state = maximum(
        own.map((each) => each.metrics),
        'orderstream_client_circuit_state',
        { client },
      );
      if (!state) return [];
      const calls = counted(own, client, 'orderstream_client_call_seconds_count', { client, outcome: 'unavailable' });
      return [{ service, client, state: state === 2 ? 'open' : 'half-open', unavailable: calls.lastMinute }];
    });
  });
}

function byService(
  processes: readonly ProcessMetrics[],
  name: string,
  match: Readonly<Record<string, string>>,
): readonly Counted[] {
  return SERVICES.flatMap((service) => {
    const own = processes.filter((each) => each.service === service);
    const found = counted(own, service, name, match);
    return found.total > 0 ? [found] : [];
  });
}

function byLabel(
  processes: readonly ProcessMetrics[],
  name: string,
  label: string,
  match: Readonly<Record<string, string>> = {},
): readonly Counted[] {
  return labelsOf(processes, name, label).map((value) => counted(processes, value, name, { ...match, [label]: value }));
}

function some(counts: readonly Counted[]): readonly Counted[] {
  return counts.filter((each) => each.total > 0);
}

function counted(
  processes: readonly ProcessMetrics[],
  name: string,
  metric: string,
  match: Readonly<Record<string, string>>,
): Counted {
  return {
    name,
    total: processes.reduce((sum, each) => sum + (each.metrics.sum(metric, match) ?? 0), 0),
    lastMinute: increasesOf(deltasOf(processes), metric, match).reduce((sum, sample) => sum + sample.value, 0),
  };
}

function deltasOf(processes: readonly ProcessMetrics[]): readonly (readonly CounterDelta[])[] {
  return processes.map((each) => each.deltas);
}

function labelsOf(processes: readonly ProcessMetrics[], name: string, label: string): readonly string[] {
  const found = processes.flatMap((each) => each.metrics.of(name).map((sample) => sample.labels.get(label) ?? ''));
  return [...new Set(found)];
}

function maximum(
  metrics: readonly Exposition[],
  name: string,
  match?: Readonly<Record<string, string>>,
): number | null {
  const found = metrics.map((each) => each.max(name, match)).filter((value) => value !== null);
  return found.length === 0 ? null : Math.max(...found);
}
