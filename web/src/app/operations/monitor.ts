import { Injectable, computed, inject, signal } from '@angular/core';
import { Observable, firstValueFrom, from } from 'rxjs';

import { Service } from '../api/endpoints';
import { Metrics, Readiness, Replica } from '../api/metrics';
import { Poller } from '../api/poller';
import { Problem } from '../api/problem';
import { CounterTracker, CounterDelta } from './counter-tracker';
import { Exposition, parseExposition } from './exposition';
import { ProcessMetrics, statsOf } from './stats';
import { LateSaga, LateSagas } from './late-sagas';
import { HistoryPoint, MAX_GAP_MS, WINDOW_MS, historyPointOf, withPoint } from './history';
import { Finding, ReplicaHealth, ReplicaState, findingsOf, overallLevel } from './findings';
import { alarmsOf } from './causes';
import { dependenciesOf } from './dependencies';
import { Log, observed } from './incidents';
import { recall, remember } from './memory';
import { Sighted, sightingsOf } from './sightings';
import { Session } from '../sign-in/session';

const KEY = 'orderstream.operations';
export const INTERVAL_MS = 5000;
/** The age after which metrics are stale. */
export const STALE_AFTER_MS = 12_000;

/** The last known state of a process. */
export interface MonitoredReplica extends ReplicaHealth, Sighted {
  /** The last scraped metrics; null before the first scrape. */
  readonly metrics: Exposition | null;
  /** Whether its metrics came or failed to, once. */
  readonly asked: boolean;
  readonly deltas: readonly CounterDelta[];
}

/** The late sagas; after a failure those of the last successful read. */
export interface LateSagasView {
  readonly sagas: readonly LateSaga[] | null;
  readonly problem: Problem | null;
}

/**
 * Polls every process every five seconds while it has subscribers, and keeps 15 minutes of history, and a log of
 * incidents, in the storage of the tab.
 *
 * Processes are polled independently: each answer is shown when it comes, and its time is that of what it tells. A slow
 * one delays neither others nor the next poll, and its last metrics stay.
 */
@Injectable({ providedIn: 'root' })
export class Monitor {
  private readonly metrics = inject(Metrics);
  private readonly lateSagas = inject(LateSagas);
  private readonly trackers = new Map<string, CounterTracker>();
  /** When the request began whose outcome is shown. */
  private readonly shown = new Map<string, number>();
  private readonly monitored = signal<readonly MonitoredReplica[]>([]);
  private readonly key = inject(Session).own(KEY);
  private readonly recalled = recall(this.key, Date.now());
  private readonly points = signal<readonly HistoryPoint[]>(this.recalled.history);
  private readonly incidents = signal<Log | null>(this.recalled.log);
  private readonly lateSagasView = signal<LateSagasView>({ sagas: null, problem: null });
  private readonly polledAt = signal<number | null>(null);

  readonly replicas = this.monitored.asReadonly();
  readonly late = this.lateSagasView.asReadonly();
  readonly history = this.points.asReadonly();
  /** The time of the last answer. */
  readonly at = this.polledAt.asReadonly();
  /** The statistics of processes with fresh metrics. */
  readonly stats = computed(() => statsOf(metricsOf(this.monitored(), this.polledAt() ?? 0)));
  /** The statistics to show: for services without fresh metrics the last ones. */
  readonly latestStats = computed(() => {
    const current = metricsOf(this.monitored(), this.polledAt() ?? 0);
    const services = new Set(current.map((each) => each.service));
    return statsOf([...current, ...metricsOf(this.monitored(), null).filter((each) => !services.has(each.service))]);
  });
  /** The services whose metrics came or failed to. */
  readonly asked = computed(
    () => new Set(this.monitored().flatMap((each) => (each.asked ? [each.replica.service] : []))),
  );
  /** Of these, the ones without fresh metrics, with the time of their last scrape (null for none). */
  readonly stale = computed((): ReadonlyMap<Service, number | null> => {
    const fresh = new Set(metricsOf(this.monitored(), this.polledAt() ?? 0).map((each) => each.service));
    const asked = this.monitored().filter((each) => each.asked && !fresh.has(each.replica.service));
    return new Map(asked.map((each) => [each.replica.service, lastOf(this.monitored(), each.replica.service)]));
  });
  readonly findings = computed(() => findingsOf(this.monitored(), this.stats()));
  /** The findings by cause, critical ones first. */
  readonly alarms = computed(() => alarmsOf(this.findings()));
  readonly dependencies = computed(() => dependenciesOf(this.monitored()));
  /** The worst level; null while it is not known that there is nothing. */
  readonly level = computed(() => {
    const level = overallLevel(this.monitored(), this.findings());
    const known = this.stale().size === 0 && this.monitored().every((each) => each.asked);
    return level === 'ok' && !known ? null : level;
  });
  /** What was seen so far; null before the first poll. */
  readonly log = this.incidents.asReadonly();

  /** Polls repeatedly while subscribed, one at a time; emits after each poll. */
  readonly polls = new Observable<void>((subscriber) => {
    let began = 0;
    const poller = new Poller(
      'order',
      () => {
        began = Date.now();
        return from(this.poll());
      },
      () => true,
      { pause: () => Math.max(0, began + INTERVAL_MS - Date.now()), onRead: () => subscriber.next() },
    );
    poller.refresh();
    return () => poller.stop();
  });

  /** Poll all processes once; never fails. */
  async poll(): Promise<void> {
    const began = Date.now();
    if (began - (this.polledAt() ?? began) > MAX_GAP_MS) this.forget();
    const replicas = this.metrics.replicas();
    this.monitored.update((before) => replicas.map((replica) => before.find(is(replica)) ?? unknown(replica)));
    await Promise.all([
      ...replicas.flatMap((replica) => [this.checkReadiness(replica), this.scrape(replica)]),
      this.loadLateSagas(),
    ]);
    const now = Date.now();
    if (now - began > MAX_GAP_MS) {
      // the machine slept meanwhile: some of it was read before, some after
      this.forget();
      return this.poll();
    }
    this.points.update((history) =>
      withPoint(history, historyPointOf(now, metricsOf(this.monitored(), now), this.stats())),
    );
    const processes = this.monitored().flatMap(({ replica, metrics, scrapedAt }) => {
      const startedAt = scrapedAt === null ? null : startOf(metrics);
      return startedAt === null ? [] : [{ replica, startedAt }];
    });
    const sightings = (finding: Finding): readonly number[] => sightingsOf(finding, this.monitored(), began);
    this.incidents.update((log) => observed(log, { at: now, alarms: this.alarms(), processes, sightings }));
    remember(this.key, { history: this.points(), log: this.incidents() });
  }

  /** After a gap nothing is known, and what counters rose by since is not of the last minute. */
  private forget(): void {
    this.monitored.set([]);
    this.trackers.clear();
    this.lateSagasView.set({ sagas: null, problem: null });
  }

  private async checkReadiness(replica: Replica): Promise<void> {
    const began = Date.now();
    try {
      const readiness = await firstValueFrom(this.metrics.readiness(replica));
      if (this.isOvertaken(`readiness ${keyOf(replica)}`, began)) return;
      this.change(replica, { state: stateOf(readiness), readiness, error: null, checkedAt: Date.now() });
    } catch (error) {
      const { title, detail, status } = Problem.of(replica.service, error);
      if (this.isOvertaken(`readiness ${keyOf(replica)}`, began)) return;
      const reason = status === 0 ? '' : detail || title || status.toString();
      this.change(replica, { state: 'unreachable', error: reason, checkedAt: began });
    }
  }

  private async scrape(replica: Replica): Promise<void> {
    const began = Date.now();
    const text = await firstValueFrom(this.metrics.scrape(replica)).catch((error: unknown) => {
      // the readiness check reports the problem
      if (error instanceof Problem) return null;
      throw error;
    });
    if (this.isOvertaken(`metrics ${keyOf(replica)}`, began)) return;
    const metrics = text === null ? null : parseExposition(text);
    if (metrics === null || metrics.samples.length === 0) {
      this.change(replica, { asked: true });
      return;
    }
    const at = Date.now();
    const delta = this.tracker(replica).delta({ at, metrics });
    this.change(replica, (before) => ({
      asked: true,
      metrics,
      scrapedAt: at,
      deltas: [...before.deltas, ...(delta === null ? [] : [delta])].filter((each) => each.at > at - WINDOW_MS),
    }));
  }

  private async loadLateSagas(): Promise<void> {
    const began = Date.now();
    try {
      const sagas = await firstValueFrom(this.lateSagas.find());
      if (this.isOvertaken('late sagas', began)) return;
      this.lateSagasView.set({ sagas, problem: null });
    } catch (error) {
      const problem = Problem.of('processing', error);
      if (this.isOvertaken('late sagas', began)) return;
      this.lateSagasView.update(({ sagas }) => ({ sagas, problem }));
    }
  }

  /** Whether *what* was asked for again later, and answered already: the poll after an act runs beside the others. */
  private isOvertaken(what: string, began: number): boolean {
    if (began < (this.shown.get(what) ?? began)) return true;
    this.shown.set(what, began);
    return false;
  }

  private tracker(replica: Replica): CounterTracker {
    const known = this.trackers.get(keyOf(replica)) ?? new CounterTracker();
    this.trackers.set(keyOf(replica), known);
    return known;
  }

  private change(
    replica: Replica,
    to: Partial<MonitoredReplica> | ((before: MonitoredReplica) => Partial<MonitoredReplica>),
  ): void {
    this.polledAt.set(Date.now());
    this.monitored.update((all) =>
      all.map((each) => (is(replica)(each) ? { ...each, ...(typeof to === 'function' ? to(each) : to) } : each)),
    );
  }
}

function metricsOf(monitored: readonly MonitoredReplica[], now: number | null): readonly ProcessMetrics[] {
  return monitored.flatMap(({ replica, metrics, scrapedAt, deltas }): readonly ProcessMetrics[] => {
    if (metrics === null || scrapedAt === null || (now !== null && scrapedAt < now - STALE_AFTER_MS)) return [];
    return [{ service: replica.service, at: scrapedAt, metrics, deltas }];
  });
}

/** The start of a process, in milliseconds since 1970; null when it does not tell. */
export function startOf(metrics: Exposition | null): number | null {
  const seconds = metrics?.max('process_start_time_seconds') ?? null;
  return seconds === null ? null : seconds * 1000;
}

function lastOf(monitored: readonly MonitoredReplica[], service: Service): number | null {
  const times = monitored.filter((each) => each.replica.service === service).map((each) => each.scrapedAt ?? 0);
  return Math.max(0, ...times) || null;
}

function unknown(replica: Replica): MonitoredReplica {
  const never = { readiness: null, error: null, metrics: null, checkedAt: null, scrapedAt: null };
  return { replica, state: 'unknown', asked: false, deltas: [], ...never };
}

function stateOf(readiness: Readiness): ReplicaState {
  return readiness.ready ? 'ready' : 'not-ready';
}

function keyOf(replica: Replica): string {
  return `${replica.service} ${replica.address}`;
}

function is(replica: Replica): (monitored: MonitoredReplica) => boolean {
  return (monitored) => keyOf(monitored.replica) === keyOf(replica);
}
