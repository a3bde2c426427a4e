import { Replica } from '../api/metrics';
import { Alarm } from './causes';
import { Finding } from './findings';
import { MAX_GAP_MS } from './history';

/** An alarm and its time; milliseconds since 1970. */
export interface Incident {
  readonly cause: Finding;
  /** When it was seen first, be it as what followed from another one: by the answer that told it. */
  readonly from: number;
  /** When it was seen to be over; null while it lasts. */
  readonly until: number | null;
}

/** The start of a process. */
export interface Start {
  readonly replica: Replica;
  readonly at: number;
  /** Whether the page had seen another process of the replica before. */
  readonly again: boolean;
}

/** What was seen while the page watched. */
export interface Log {
  /** The begin of the time without a gap in which nobody watched. */
  readonly since: number;
  readonly at: number;
  /** The oldest first. */
  readonly incidents: readonly Incident[];
  /** The oldest first. */
  readonly starts: readonly Start[];
  /** Since when each finding lasts that follows from another one, by its subject. */
  readonly effects: Readonly<Record<string, number>>;
}

/** What was seen at one time. */
export interface Observation {
  readonly at: number;
  readonly alarms: readonly Alarm[];
  readonly processes: readonly { readonly replica: Replica; readonly startedAt: number }[];
  /** When the answers came that tell of a finding, as far as they are new; the observation may wait for others. */
  readonly sightings?: (finding: Finding) => readonly number[];
}

/** An alarm that comes again after so long is the same incident. */
const REOPEN_MS = 15_000;
const KEPT_MS = 24 * 3600_000;
const MAX_KEPT = 100;
/** Start times of a process differ by the precision of the metric. */
const SAME_START_MS = 500;

/** The log with one more observation. */
export function observed(log: Log | null, observation: Observation): Log {
  const { at, alarms, sightings = (): readonly number[] => [] } = observation;
  const watched = log !== null && at - log.at <= MAX_GAP_MS;
  const before = watched ? log.effects : {};
  // what lasted when nobody watched any more is known until then
  const known = log?.incidents.map((each) => (watched ? each : { ...each, until: each.until ?? log.at })) ?? [];
  // what is there at the first look began before
  const first = (finding: Finding): number =>
    before[subjectOf(finding)] ?? (watched ? Math.min(at, ...sightings(finding)) : at);
  const last = ({ cause, from }: Incident): number => {
    const times = sightings(cause);
    return Math.max(from, times.length > 0 ? Math.max(...times) : at);
  };
  return {
    since: watched ? log.since : at,
    at,
    incidents: recent(incidentsOf(known, alarms, { at, first, last }), (each) => each.until ?? at, at),
    starts: recent(startsOf(log?.starts ?? [], observation.processes, log?.since ?? at), (each) => each.at, at),
    effects: Object.fromEntries(
      alarms.flatMap((alarm) => alarm.effects).map((finding) => [subjectOf(finding), first(finding)]),
    ),
  };
}

function incidentsOf(
  before: readonly Incident[],
  alarms: readonly Alarm[],
  times: {
    readonly at: number;
    readonly first: (finding: Finding) => number;
    readonly last: (incident: Incident) => number;
  },
): readonly Incident[] {
  const { at, first, last } = times;
  const causes = new Map(alarms.map(({ cause }) => [subjectOf(cause), cause]));
  const known = before.map((incident): Incident => {
    const subject = subjectOf(incident.cause);
    const lasts = incident.until === null || at - incident.until <= REOPEN_MS;
    const cause = lasts ? causes.get(subject) : undefined;
    if (cause === undefined) return incident.until === null ? { ...incident, until: last(incident) } : incident;
    causes.delete(subject);
    return { ...incident, cause: worse(incident.cause, cause), until: null };
  });
  // what outlasts its cause did not begin at the end of it
  const found = [...causes.values()].map((cause): Incident => ({ cause, from: first(cause), until: null }));
  return [...known, ...found].sort((one, other) => one.from - other.from);
}

// an incident is remembered at its worst
function worse(before: Finding, now: Finding): Finding {
  return before.level === 'bad' && now.level !== 'bad' ? before : now;
}

function startsOf(before: readonly Start[], processes: Observation['processes'], since: number): readonly Start[] {
  const starts = [...before];
  for (const { replica, startedAt } of processes) {
    const own = starts.filter((each) => keyOf(each.replica) === keyOf(replica));
    if (own.some((each) => Math.abs(each.at - startedAt) < SAME_START_MS)) continue;
    // several processes answer at the address of a load balancer: an older one was there before
    starts.push({ replica, at: startedAt, again: own.length > 0 && (!replica.balanced || startedAt > since) });
  }
  return starts.sort((one, other) => one.at - other.at);
}

function recent<T>(all: readonly T[], timeOf: (each: T) => number, at: number): readonly T[] {
  return all.filter((each) => timeOf(each) > at - KEPT_MS).slice(-MAX_KEPT);
}

function keyOf({ service, address }: Replica): string {
  return `${service} ${address}`;
}

/** The begin of the time without alarms; null while there is one. */
export function quietSince({ incidents, starts, since }: Log): number | null {
  if (incidents.some((each) => each.until === null)) return null;
  const ends = incidents.map((each) => each.until ?? 0);
  const restarts = starts.filter((each) => each.again).map((each) => each.at);
  return Math.max(since, ...ends, ...restarts);
}

/** The incidents that lasted after *since*, the newest first. */
export function incidentsAfter(log: Log, since: number): readonly Incident[] {
  return log.incidents.filter((each) => (each.until ?? Infinity) > since).reverse();
}

/** The processes that were started again after *since* while the page watched, the newest first. */
export function restartsAfter(log: Log, since: number): readonly Start[] {
  return log.starts.filter((each) => each.again && each.at > since).reverse();
}

/** What a finding is about, without its values and its level. */
export function subjectOf(finding: Finding): string {
  const { kind } = finding;
  const subject = 'replica' in finding ? keyOf(finding.replica) : 'queue' in finding ? finding.queue : '';
  const service = 'service' in finding ? finding.service : '';
  // a replica that hangs is first not ready, then unreachable
  const what = kind === 'not-ready' || kind === 'unreachable' ? 'down' : kind;
  return [what, subject, service, 'dependency' in finding ? finding.dependency : ''].join(' ');
}
