import { Readiness, Replica } from '../api/metrics';
import { Service } from '../api/endpoints';
import { Dependency, Unreached, dependenciesOf } from './dependencies';
import { OutboxStats, SystemStats, QueueStats } from './stats';
import { Traffic } from './traffic';

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
  | {
      readonly kind: 'dependency';
      readonly dependency: Dependency;
      /** Whether no replica reaches it. */
      readonly away: boolean;
      readonly unreached: readonly Unreached[];
    }
  | {
      readonly kind: 'dead-letters' | 'backlog';
      readonly queue: string;
      /** The queue's consumer. */
      readonly service: Service;
      readonly number: number;
    }
  | { readonly kind: 'outbox'; readonly service: Service; readonly pending: number; readonly seconds: number }
  | { readonly kind: 'late-sagas'; readonly late: number; readonly seconds: number }
  | { readonly kind: 'circuit'; readonly service: Service; readonly client: string }
  | { readonly kind: 'unavailable'; readonly service: Service; readonly number: number; readonly requests: number }
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

/** 5xx of the last minute: critical like the alarm `ServerErrors`, at least so many and over this share of requests. */
const UNAVAILABLE = { number: 3, share: 0.05 } as const;

/** Seconds after which a queue depth is stale; it is polled every five. */
const DEPTH_STALE_S = 20;

export function levelOf(value: number, threshold: Threshold): Level {
  if (value >= threshold.bad) return 'bad';
  return value >= threshold.warn ? 'warn' : 'ok';
}

/** The problems of the system. */
export function findingsOf(replicas: readonly ReplicaHealth[], stats: SystemStats): readonly Finding[] {
  return [
    ...dependencyFindings(replicas),
    ...replicas.flatMap((each) => healthFindings(each, replicas)),
    ...stats.queues.flatMap(queueFindings),
    ...staleFindings(stats.queues),
    ...stats.outboxes.flatMap(outboxFindings),
    ...sagaFindings(stats),
    ...stats.circuits
      // half open as well: an open one is it during each trial call
      .filter((circuit) => circuit.unavailable > 0)
      .map(({ service, client }): Finding => ({
        level: 'warn',
        kind: 'circuit',
        service,
        client,
      })),
    ...stats.traffic.flatMap((each) => unavailableFindings(each, stats)),
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

// replicas share a dependency: that some reach it is a warning, unless a whole service doesn't
function dependencyFindings(replicas: readonly ReplicaHealth[]): readonly Finding[] {
  return dependenciesOf(replicas).flatMap(({ dependency, state, reachedBy, unreached }): readonly Finding[] => {
    if (unreached.length === 0) return [];
    const cut = unreached.some((each) => !reachedBy.includes(each.service));
    return [{ level: cut ? 'bad' : 'warn', kind: 'dependency', dependency, away: state === 'away', unreached }];
  });
}

// status 500 is a defect, with a finding of its own
function unavailableFindings({ service, failed, requests }: Traffic, stats: SystemStats): readonly Finding[] {
  const defects = stats.failures.find((each) => each.name === service)?.lastMinute ?? 0;
  const number = failed - defects;
  if (number <= 0) return [];
  const hurts = number >= UNAVAILABLE.number && number > UNAVAILABLE.share * requests;
  return [{ level: hurts ? 'bad' : 'warn', kind: 'unavailable', service, number, requests }];
}

function queueFindings(stats: QueueStats): readonly Finding[] {
  const { queue, service, visible, inFlight, deadLetters } = stats;
  const found: Finding[] = [];
  if (deadLetters && visible + inFlight > 0) {
    found.push({ level: 'bad', kind: 'dead-letters', queue, service, number: visible + inFlight });
  }
  const level = levelOf(visible, THRESHOLDS.backlog);
  if (!deadLetters && level !== 'ok') found.push({ level, kind: 'backlog', queue, service, number: visible });
  return found;
}

// SQS is unreachable for all queues at once: one finding
function staleFindings(queues: readonly QueueStats[]): readonly Finding[] {
  const stale = queues.filter((each) => each.ageSeconds > DEPTH_STALE_S);
  if (stale.length === 0) return [];
  const seconds = Math.max(...stale.map((each) => each.ageSeconds));
  return [{ level: 'warn', kind: 'depth-stale', queues: stale.map((each) => each.queue), seconds }];
}

// that a table can't be read is a finding of its own
function outboxFindings({ service, current, pending, oldestSeconds: seconds }: OutboxStats): readonly Finding[] {
  const level = levelOf(seconds, THRESHOLDS.outboxSeconds);
  return level === 'ok' || !current ? [] : [{ level, kind: 'outbox', service, pending, seconds }];
}

function sagaFindings(stats: SystemStats): readonly Finding[] {
  if (!stats.sagas?.current || stats.sagas.late === 0) return [];
  const { late, oldestSeconds: seconds } = stats.sagas;
  const level = levelOf(seconds, THRESHOLDS.sagaSeconds) === 'bad' ? 'bad' : 'warn';
  return [{ level, kind: 'late-sagas', late, seconds }];
}

function pushFindings(stats: SystemStats): readonly Finding[] {
  if (stats.push === null) return [];
  const found: Finding[] = [];
  const lag = stats.push.lag ?? 0; // what keeps it from being known is a finding of its own
  const level = levelOf(lag, THRESHOLDS.pushLag);
  if (level !== 'ok') found.push({ level, kind: 'push-lag', number: lag });
  const refused = stats.push.refusals.reduce((sum, each) => sum + each.lastMinute, 0);
  if (refused > 0) found.push({ level: 'warn', kind: 'refusals', number: refused });
  return found;
}
