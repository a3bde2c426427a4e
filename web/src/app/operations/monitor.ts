import { Injectable, computed, inject, signal } from '@angular/core';
import { Observable, exhaustMap, firstValueFrom, from, timer } from 'rxjs';

import { Service } from '../api/endpoints';
import { Metrics, Readiness, Replica } from '../api/metrics';
import { Problem } from '../api/problem';
import { CounterTrack, Step } from './counters';
import { Exposition, parseExposition } from './exposition';
import { Told, factsOf } from './facts';
import { LateSaga, LateSagas } from './late-sagas';
import { Moment, WINDOW_MS, momentOf, withMoment } from './moments';
import { ReplicaHealth, ReplicaState, findingsOf, overallLevel } from './verdict';

export const INTERVAL_MS = 5000;
/** Numbers that are older are no longer news. */
export const FRESH_MS = 12_000;

/** A process as it was seen last. */
export interface Watched extends ReplicaHealth {
  /** The numbers it told last; null before that. */
  readonly numbers: Exposition | null;
  readonly numbersAt: number | null;
  readonly steps: readonly Step[];
}

/** What is known of the late sagas; after a failure they are those of before. */
export interface LateView {
  readonly sagas: readonly LateSaga[] | null;
  readonly problem: Problem | null;
}

/**
 * Looks at every process every five seconds while somebody watches, and remembers a quarter of an hour of it.
 *
 * Each process is asked for itself: one that does not answer holds up no other, and what it told last stays.
 */
@Injectable({ providedIn: 'root' })
export class Monitor {
  private readonly metrics = inject(Metrics);
  private readonly lateSagas = inject(LateSagas);
  private readonly tracks = new Map<string, CounterTrack>();
  private readonly watched = signal<readonly Watched[]>([]);
  private readonly seen = signal<readonly Moment[]>([]);
  private readonly lateView = signal<LateView>({ sagas: null, problem: null });
  private readonly lookedAt = signal<number | null>(null);

  readonly replicas = this.watched.asReadonly();
  readonly late = this.lateView.asReadonly();
  readonly history = this.seen.asReadonly();
  /** When the last round ended. */
  readonly at = this.lookedAt.asReadonly();
  /** What is told by those that answer. */
  readonly facts = computed(() => factsOf(told(this.watched(), this.lookedAt() ?? 0)));
  /** What is to be shown: of a service that is silent what it told last. */
  readonly lastFacts = computed(() => {
    const fresh = told(this.watched(), this.lookedAt() ?? 0);
    const heard = new Set(fresh.map((each) => each.service));
    return factsOf([...fresh, ...told(this.watched(), null).filter((each) => !heard.has(each.service))]);
  });
  /** The services that do not tell their numbers now, and when they last did; null is never. */
  readonly silent = computed((): ReadonlyMap<Service, number | null> => {
    const heard = new Set(told(this.watched(), this.lookedAt() ?? 0).map((each) => each.service));
    const asked = this.lookedAt() === null ? [] : this.watched().filter((each) => !heard.has(each.replica.service));
    return new Map(asked.map((each) => [each.replica.service, lastOf(this.watched(), each.replica.service)]));
  });
  readonly findings = computed(() => findingsOf(this.watched(), this.facts()));
  readonly level = computed(() => overallLevel(this.watched(), this.findings()));

  /** One round after the other, for as long as somebody is subscribed; each tells that it has ended. */
  readonly rounds: Observable<void> = timer(0, INTERVAL_MS).pipe(exhaustMap(() => from(this.look())));

  /** Ask everybody once; never fails. */
  async look(): Promise<void> {
    const replicas = this.metrics.replicas();
    this.watched.update((before) => replicas.map((replica) => before.find(is(replica)) ?? unknown(replica)));
    await Promise.all([
      ...replicas.flatMap((replica) => [this.askHealth(replica), this.askNumbers(replica)]),
      this.askLateSagas(),
    ]);
    const now = Date.now();
    this.lookedAt.set(now);
    this.seen.update((history) => withMoment(history, momentOf(now, told(this.watched(), now), this.facts())));
  }

  private async askHealth(replica: Replica): Promise<void> {
    try {
      const readiness = await firstValueFrom(this.metrics.readiness(replica));
      this.change(replica, { state: stateOf(readiness), readiness, error: null });
    } catch (error) {
      const { title, detail, status } = Problem.of(replica.service, error);
      const reason = status === 0 ? '' : detail || title || status.toString();
      this.change(replica, { state: 'unreachable', error: reason });
    }
  }

  private async askNumbers(replica: Replica): Promise<void> {
    const text = await firstValueFrom(this.metrics.numbers(replica)).catch((error: unknown) => {
      // the round of health tells of it, in the words of the page
      if (error instanceof Problem) return null;
      throw error;
    });
    const numbers = text === null ? null : parseExposition(text);
    if (numbers === null || numbers.samples.length === 0) return;
    const at = Date.now();
    const step = this.track(replica).step({ at, numbers });
    this.change(replica, (before) => ({
      numbers,
      numbersAt: at,
      steps: [...before.steps, ...(step === null ? [] : [step])].filter((each) => each.at > at - WINDOW_MS),
    }));
  }

  private async askLateSagas(): Promise<void> {
    try {
      const sagas = await firstValueFrom(this.lateSagas.find());
      this.lateView.set({ sagas, problem: null });
    } catch (error) {
      const problem = Problem.of('processing', error);
      this.lateView.update(({ sagas }) => ({ sagas, problem }));
    }
  }

  private track(replica: Replica): CounterTrack {
    const known = this.tracks.get(keyOf(replica)) ?? new CounterTrack();
    this.tracks.set(keyOf(replica), known);
    return known;
  }

  private change(replica: Replica, to: Partial<Watched> | ((before: Watched) => Partial<Watched>)): void {
    this.watched.update((all) =>
      all.map((each) => (is(replica)(each) ? { ...each, ...(typeof to === 'function' ? to(each) : to) } : each)),
    );
  }
}

function told(watched: readonly Watched[], now: number | null): readonly Told[] {
  return watched.flatMap(({ replica, numbers, numbersAt, steps }): readonly Told[] => {
    if (numbers === null || numbersAt === null || (now !== null && numbersAt < now - FRESH_MS)) return [];
    return [{ service: replica.service, at: numbersAt, numbers, steps }];
  });
}

function lastOf(watched: readonly Watched[], service: Service): number | null {
  const times = watched.filter((each) => each.replica.service === service).map((each) => each.numbersAt ?? 0);
  return Math.max(0, ...times) || null;
}

function unknown(replica: Replica): Watched {
  return { replica, state: 'unknown', readiness: null, error: null, numbers: null, numbersAt: null, steps: [] };
}

function stateOf(readiness: Readiness): ReplicaState {
  return readiness.ready ? 'ready' : 'not-ready';
}

function keyOf(replica: Replica): string {
  return `${replica.service} ${replica.address}`;
}

function is(replica: Replica): (watched: Watched) => boolean {
  return (watched) => keyOf(watched.replica) === keyOf(replica);
}
