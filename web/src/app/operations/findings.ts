import { Readiness, Replica } from '../api/metrics';
import { Service } from '../api/endpoints';
import { SystemStats, QueueStats } from './stats';

export type Level = 'ok' | 'warn' | 'bad';

/** The state of a process. */
export type ReplicaState = 'unknown' | 'ready' | 'not-ready' | 'unreachable';

export interface ReplicaHealth {
  readonly replica: Replica;
  readonly state: ReplicaState;
  /** Its last readiness report. */
  readonly readiness: Readiness | null;
  /** Why it is unreachable. */
  readonly error: string | null;
}

/** A problem of the system, with the values for its text. */
export type Finding = { readonly level: 'warn' | 'bad' } & (
  | { readonly kind: 'unreachable' | 'not-ready'; readonly replica: Replica; readonly failing: readonly string[] }
  | { readonly kind: 'dead-letters' | 'backlog'; readonly queue: string; readonly number: number }
  | { readonly kind: 'outbox'; readonly service: Service; readonly pending: number; readonly seconds: number }
  | { readonly kind: 'late-sagas'; readonly late: number; readonly seconds: number }
  | { readonly kind: 'circuit'; readonly service: Service; readonly client: string }
  | { readonly kind: 'push-lag'; readonly number: number }
  | { readonly kind: 'depth-stale'; readonly queues: readonly string[]; readonly seconds: number }
  | { readonly kind: 'refusals'; readonly number: number }
  | { readonly kind: 'failures' | 'lost-lines'; readonly service: string; readonly number: number }
);

/** The values from which a finding is a warning, and critical. */
export interface Threshold {
  readonly warn: number;
  readonly bad: number;
}

export const THRESHOLDS = {
  /** Visible messages of a queue; at 1,000 orders a second this is one second's worth. */
  backlog: { warn: 100, bad: 1000 },
  /** Age of the oldest unsent event, in seconds; it is measured every 10 s. */
  outboxSeconds: { warn: 10, bad: 60 },
  /** Age of the oldest open saga, in seconds: late after 30. */
  sagaSeconds: { warn: 30, bad: 300 },
  /** Notifications that a process has not read from the feed yet. */
  pushLag: { warn: 20, bad: 1000 },
} as const satisfies Record<string, Threshold>;

/** Seconds after which a queue depth is stale; it is polled every five. */
const DEPTH_STALE_S = 20;

export function levelOf(value: number, threshold: Threshold): Level {
  if (value >= threshold.bad) return 'bad';
  return value >= threshold.warn ? 'warn' : 'ok';
}

/** The problems of the system, critical ones first. */
export function findingsOf(replicas: readonly ReplicaHealth[], stats: SystemStats): readonly Finding[] {
  const found = [
    ...replicas.flatMap((each) => healthFindings(each, replicas)),
    ...stats.queues.flatMap(queueFindings),
    ...staleFindings(stats.queues),
    ...stats.outboxes.flatMap((outbox): readonly Finding[] => {
      const level = levelOf(outbox.oldestSeconds, THRESHOLDS.outboxSeconds);
      const { service, pending, oldestSeconds: seconds } = outbox;
      return level === 'ok' ? [] : [{ level, kind: 'outbox', service, pending, seconds }];
    }),
    ...sagaFindings(stats),
    ...stats.circuits
      .filter((circuit) => circuit.state === 'open' && circuit.unavailable > 0)
      .map(({ service, client }): Finding => ({ level: 'warn', kind: 'circuit', service, client })),
    ...pushFindings(stats),
    ...stats.failures
      .filter((each) => each.lastMinute > 0)
      .map(({ name, lastMinute }): Finding => ({ level: 'bad', kind: 'failures', service: name, number: lastMinute })),
    ...stats.lostLines
      .filter((each) => each.lastMinute > 0)
      .map(({ name, lastMinute }): Finding => ({
        level: 'warn',
        kind: 'lost-lines',
        service: name,
        number: lastMinute,
      })),
  ];
  return found.sort((one, other) => Number(other.level === 'bad') - Number(one.level === 'bad'));
}

/** The worst level; null while a process was not polled yet. */
export function overallLevel(replicas: readonly ReplicaHealth[], findings: readonly Finding[]): Level | null {
  if (findings.some((finding) => finding.level === 'bad')) return 'bad';
  if (findings.length > 0) return 'warn';
  return replicas.length === 0 || replicas.some((each) => each.state === 'unknown') ? null : 'ok';
}

// a missing replica is a warning; a service without a ready replica is down
function healthFindings(health: ReplicaHealth, all: readonly ReplicaHealth[]): readonly Finding[] {
  const { replica, state, readiness } = health;
  if (state !== 'unreachable' && state !== 'not-ready') return [];
  const served = all.some((each) => each.replica.service === replica.service && each.state === 'ready');
  const failing = Object.entries(readiness?.checks ?? {})
    .filter(([, outcome]) => outcome !== 'ok')
    .map(([name]) => name);
  return [{ level: served ? 'warn' : 'bad', kind: state, replica, failing: state === 'not-ready' ? failing : [] }];
}

function queueFindings(stats: QueueStats): readonly Finding[] {
  const { queue, visible, inFlight, deadLetters } = stats;
  const found: Finding[] = [];
  if (deadLetters && visible + inFlight > 0) {
    found.push({ level: 'bad', kind: 'dead-letters', queue, number: visible + inFlight });
  }
  const level = levelOf(visible, THRESHOLDS.backlog);
  if (!deadLetters && level !== 'ok') found.push({ level, kind: 'backlog', queue, number: visible });
  return found;
}

// SQS is unreachable for all queues at once: one finding
function staleFindings(queues: readonly QueueStats[]): readonly Finding[] {
  const stale = queues.filter((each) => each.ageSeconds > DEPTH_STALE_S);
  if (stale.length === 0) return [];
  const seconds = Math.max(...stale.map((each) => each.ageSeconds));
  return [{ level: 'warn', kind: 'depth-stale', queues: stale.map((each) => each.queue), seconds }];
}

function sagaFindings(stats: SystemStats): readonly Finding[] {
  if (stats.sagas === null || stats.sagas.late === 0) return [];
  const { late, oldestSeconds: seconds } = stats.sagas;
  const level = levelOf(seconds, THRESHOLDS.sagaSeconds) === 'bad' ? 'bad' : 'warn';
  return [{ level, kind: 'late-sagas', late, seconds }];
}

function pushFindings(stats: SystemStats): readonly Finding[] {
  if (stats.push === null) return [];
  const found: Finding[] = [];
  const level = levelOf(stats.push.lag, THRESHOLDS.pushLag);
  if (level !== 'ok') found.push({ level, kind: 'push-lag', number: stats.push.lag });
  const refused = stats.push.refusals.reduce((sum, each) => sum + each.lastMinute, 0);
  if (refused > 0) found.push({ level: 'warn', kind: 'refusals', number: refused });
  return found;
}
