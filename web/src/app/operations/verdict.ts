import { Readiness, Replica } from '../api/metrics';
import { Service } from '../api/endpoints';
import { Facts, QueueFacts } from './facts';

export type Level = 'ok' | 'warn' | 'bad';

/** How a process is, as far as it is known. */
export type ReplicaState = 'unknown' | 'ready' | 'not-ready' | 'unreachable';

export interface ReplicaHealth {
  readonly replica: Replica;
  readonly state: ReplicaState;
  /** What it said last about its readiness. */
  readonly readiness: Readiness | null;
  /** Why it gave no answer. */
  readonly error: string | null;
}

/** Something that is late or broken; the facts are for the words. */
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

/** From which number on it is worth a look, and from which it wants a person. */
export interface Threshold {
  readonly warn: number;
  readonly bad: number;
}

export const THRESHOLDS = {
  /** Messages that wait in a queue; at 1,000 orders a second it is one second's worth. */
  backlog: { warn: 100, bad: 1000 },
  /** Age of the oldest event that was not sent, in seconds; it is measured every 10 s. */
  outboxSeconds: { warn: 10, bad: 60 },
  /** Age of the oldest open saga, in seconds: late after 30, and nobody waits for five minutes. */
  sagaSeconds: { warn: 30, bad: 300 },
  /** Notifications that a process has not read yet. */
  pushLag: { warn: 20, bad: 1000 },
} as const satisfies Record<string, Threshold>;

/** Seconds after which it is odd that SQS has not said how many messages there are; it is asked every five. */
const DEPTH_STALE_S = 20;

export function levelOf(value: number, threshold: Threshold): Level {
  if (value >= threshold.bad) return 'bad';
  return value >= threshold.warn ? 'warn' : 'ok';
}

/** What is late or broken, the worst first. */
export function findingsOf(replicas: readonly ReplicaHealth[], facts: Facts): readonly Finding[] {
  const found = [
    ...replicas.flatMap((each) => healthFindings(each, replicas)),
    ...facts.queues.flatMap(queueFindings),
    ...staleFindings(facts.queues),
    ...facts.outboxes.flatMap((outbox): readonly Finding[] => {
      const level = levelOf(outbox.oldestSeconds, THRESHOLDS.outboxSeconds);
      const { service, pending, oldestSeconds: seconds } = outbox;
      return level === 'ok' ? [] : [{ level, kind: 'outbox', service, pending, seconds }];
    }),
    ...sagaFindings(facts),
    ...facts.circuits
      .filter((circuit) => circuit.state === 'open' && circuit.unavailable > 0)
      .map(({ service, client }): Finding => ({ level: 'warn', kind: 'circuit', service, client })),
    ...pushFindings(facts),
    ...facts.failures
      .filter((each) => each.lastMinute > 0)
      .map(({ name, lastMinute }): Finding => ({ level: 'bad', kind: 'failures', service: name, number: lastMinute })),
    ...facts.lostLines
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

/** The worst of them; null as long as somebody has not been heard of. */
export function overallLevel(replicas: readonly ReplicaHealth[], findings: readonly Finding[]): Level | null {
  if (findings.some((finding) => finding.level === 'bad')) return 'bad';
  if (findings.length > 0) return 'warn';
  return replicas.length === 0 || replicas.some((each) => each.state === 'unknown') ? null : 'ok';
}

// one of several replicas is missed; a service without any is down
function healthFindings(health: ReplicaHealth, all: readonly ReplicaHealth[]): readonly Finding[] {
  const { replica, state, readiness } = health;
  if (state !== 'unreachable' && state !== 'not-ready') return [];
  const served = all.some((each) => each.replica.service === replica.service && each.state === 'ready');
  const failing = Object.entries(readiness?.checks ?? {})
    .filter(([, outcome]) => outcome !== 'ok')
    .map(([name]) => name);
  return [{ level: served ? 'warn' : 'bad', kind: state, replica, failing: state === 'not-ready' ? failing : [] }];
}

function queueFindings(facts: QueueFacts): readonly Finding[] {
  const { queue, visible, inFlight, deadLetters } = facts;
  const found: Finding[] = [];
  if (deadLetters && visible + inFlight > 0) {
    found.push({ level: 'bad', kind: 'dead-letters', queue, number: visible + inFlight });
  }
  const level = levelOf(visible, THRESHOLDS.backlog);
  if (!deadLetters && level !== 'ok') found.push({ level, kind: 'backlog', queue, number: visible });
  return found;
}

// when SQS is away it is away for all of them: one sentence
function staleFindings(queues: readonly QueueFacts[]): readonly Finding[] {
  const stale = queues.filter((each) => each.ageSeconds > DEPTH_STALE_S);
  if (stale.length === 0) return [];
  const seconds = Math.max(...stale.map((each) => each.ageSeconds));
  return [{ level: 'warn', kind: 'depth-stale', queues: stale.map((each) => each.queue), seconds }];
}

function sagaFindings(facts: Facts): readonly Finding[] {
  if (facts.sagas === null || facts.sagas.late === 0) return [];
  const { late, oldestSeconds: seconds } = facts.sagas;
  const level = levelOf(seconds, THRESHOLDS.sagaSeconds) === 'bad' ? 'bad' : 'warn';
  return [{ level, kind: 'late-sagas', late, seconds }];
}

function pushFindings(facts: Facts): readonly Finding[] {
  if (facts.push === null) return [];
  const found: Finding[] = [];
  const level = levelOf(facts.push.lag, THRESHOLDS.pushLag);
  if (level !== 'ok') found.push({ level, kind: 'push-lag', number: facts.push.lag });
  const refused = facts.push.refusals.reduce((sum, each) => sum + each.lastMinute, 0);
  if (refused > 0) found.push({ level: 'warn', kind: 'refusals', number: refused });
  return found;
}
