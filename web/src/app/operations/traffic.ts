import { SERVICES, Service } from '../api/endpoints';
import { CounterDelta, increasesOf, ratePerSecond } from './counter-tracker';
import { Sample } from './exposition';
import { bucketsOf, quantile } from './histogram';
import type { Counted, ProcessMetrics } from './stats';

/** The requests that a service answered in the last minute, without those of probes and of operators who look. */
export interface Traffic {
  readonly service: Service;
  readonly requests: number;
  /** Answered with 5xx. */
  readonly failed: number;
  /** Answered with 4xx, without 429. */
  readonly refused: number;
  /** Answered with 429: over a limit on requests. */
  readonly limited: number;
  /** Requests by status. */
  readonly statuses: readonly Counted[];
  /** The 95th percentile of the durations, in seconds; null without requests. */
  readonly p95Seconds: number | null;
}

/** How full a service is; of several replicas, the fullest. Null where it is not reported. */
export interface Saturation {
  readonly service: Service;
  /** CPU time by time, 1 for a whole core. */
  readonly cpu: number | null;
  readonly memoryBytes: number | null;
  /** Open HTTP connections, without streams. */
  readonly connections: number | null;
  /** Open files by the limit of the process, from 0 to 1. */
  readonly files: number | null;
  /** Messages of SQS in processing. */
  readonly inFlight: number | null;
  /** The 99th percentile of the last minute, in seconds. */
  readonly loopLagSeconds: number | null;
  /** Busy database connections by their limit, from 0 to 1. */
  readonly pool: number | null;
  /** Statements that wait for a database connection. */
  readonly waiting: number | null;
}

const REQUESTS = 'orderstream_http_request_seconds';
/** What this page and probes ask without a customer: that a service fails at them is no symptom. */
const PROBES: ReadonlySet<string> = new Set([
  '/health/live',
  '/health/ready',
  '/metrics',
  '/',
  '/dead-letters',
  '/dead-letters/{letter_id}',
  '/order/events',
  '/sagas',
  '/sagas/{order_id}',
  '/sagas/{order_id}/events',
  '/stock-operations',
]);
const LIMITED = '429';
const POOL = 'orderstream_database_connections';

/** The traffic of each service that has answered twice. */
export function trafficOf(processes: readonly ProcessMetrics[]): readonly Traffic[] {
  return SERVICES.flatMap((service) => {
    const deltas = processes.filter((each) => each.service === service).map((each) => each.deltas);
    if (deltas.every((each) => each.length === 0)) return [];
    const statuses = byStatus(increasesOf(deltas, `${REQUESTS}_count`).filter(isRequest));
    const sum = (isWanted: (status: string) => boolean): number =>
      statuses.filter((each) => isWanted(each.name)).reduce((total, each) => total + each.lastMinute, 0);
    const buckets = bucketsOf(increasesOf(deltas, `${REQUESTS}_bucket`).filter(isRequest));
    const p95 = quantile(0.95, buckets);
    return [
      {
        service,
        requests: sum(() => true),
        failed: sum((status) => status.startsWith('5')),
        refused: sum((status) => status.startsWith('4') && status !== LIMITED),
        limited: sum((status) => status === LIMITED),
        statuses: statuses.filter((each) => each.lastMinute > 0),
        p95Seconds: p95 !== null && Number.isFinite(p95) ? p95 : null,
      },
    ];
  });
}

function isRequest(sample: Sample): boolean {
  return !PROBES.has(sample.labels.get('route') ?? '');
}

function byStatus(samples: readonly Sample[]): readonly Counted[] {
  const counts = new Map<string, number>();
  for (const { labels, value } of samples) {
    const status = labels.get('status') ?? '';
    counts.set(status, (counts.get(status) ?? 0) + value);
  }
  return [...counts]
    .map(([name, lastMinute]) => ({ name, total: lastMinute, lastMinute }))
    .sort((one, other) => one.name.localeCompare(other.name));
}

/** The saturation of each service that reports any. */
export function saturationOf(processes: readonly ProcessMetrics[]): readonly Saturation[] {
  return SERVICES.flatMap((service) => {
    const own = processes.filter((each) => each.service === service);
    if (own.length === 0) return [];
    const fullest = (value: (each: ProcessMetrics) => number | null): number | null => {
      const known = own.map(value).filter((each) => each !== null);
      return known.length === 0 ? null : Math.max(...known);
    };
    return [
      {
        service,
        cpu: fullest((each) => cpuOf(each.deltas)),
        memoryBytes: fullest((each) => each.metrics.max('process_resident_memory_bytes')),
        connections: fullest((each) => each.metrics.max('orderstream_http_connections')),
        files: fullest(({ metrics }) => ratio(metrics.max('process_open_fds'), metrics.max('process_max_fds'))),
        inFlight: fullest(({ metrics }) => metrics.sum('orderstream_sqs_in_flight')),
        loopLagSeconds: fullest(({ deltas }) => lagOf(deltas)),
        pool: fullest(({ metrics }) =>
          ratio(metrics.sum(POOL, { state: 'busy' }), metrics.sum(POOL, { state: 'limit' })),
        ),
        waiting: fullest(({ metrics }) => metrics.sum(POOL, { state: 'waiting' })),
      },
    ];
  });
}

function lagOf(deltas: readonly CounterDelta[]): number | null {
  const p99 = quantile(0.99, bucketsOf(increasesOf([deltas], 'orderstream_event_loop_lag_seconds_bucket')));
  return p99 !== null && Number.isFinite(p99) ? p99 : null;
}

function cpuOf(deltas: readonly CounterDelta[]): number | null {
  return ratePerSecond([deltas], 'process_cpu_seconds_total');
}

function ratio(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole <= 0 ? null : part / whole;
}
