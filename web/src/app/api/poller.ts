import { signal } from '@angular/core';
import { Observable, Subscription } from 'rxjs';

import { Service } from './endpoints';
import { Problem } from './problem';

const FIRST_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 15_000;
/** The number of unchanged reads before the interval grows. */
const UNCHANGED_READS_BEFORE_BACKOFF = 4;

/** The delay after a number of unchanged reads in a row, in milliseconds. */
export function pause(unchangedReads: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 1.5 ** Math.max(0, unchangedReads - UNCHANGED_READS_BEFORE_BACKOFF));
}

export interface PollerOptions<T> {
  /** The delay before the next read, in milliseconds, by the number of unchanged reads in a row. */
  readonly pause: (unchangedReads: number) => number;
  /** Called with each value that was read, changed or not. */
  readonly onRead: (value: T) => void;
}

/**
 * Reads a service again and again; the last value stays while the service is unreachable.
 *
 * One read at a time, however slow; a read that is asked for meanwhile follows it.
 */
export class Poller<T> {
  readonly value = signal<T | null>(null);
  readonly problem = signal<Problem | null>(null);
  /** The time of the last successful read; the value is stale from then on. */
  readonly readAt = signal<number | null>(null);
  private readonly pause: (unchangedReads: number) => number;
  private readonly onRead: (value: T) => void;
  private unchangedReads = 0;
  private last = '';
  private again = false;
  private running: Subscription | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private soon: ReturnType<typeof setTimeout> | undefined;

  /** *shouldPoll* is called after each read and before the next. */
  constructor(
    private readonly service: Service,
    private readonly read: () => Observable<T>,
    private readonly shouldPoll: () => boolean,
    options: Partial<PollerOptions<T>> = {},
  ) {
    this.pause = options.pause ?? pause;
    this.onRead = options.onRead ?? ((): void => undefined);
  }

  /** Reads now, or once more after the current read, which may be too early. */
  refresh(): void {
    this.clear();
    if (this.running !== null) {
      this.again = true;
      return;
    }
    this.running = new Subscription();
    this.running.add(
      this.read().subscribe({
        next: (value) => this.onValue(value),
        error: (error: unknown) => this.onError(error),
      }),
    );
  }

  /** Reads in *delayMs*, once for all calls until then; the time of the first counts. */
  refreshIn(delayMs: number): void {
    this.soon ??= setTimeout(() => this.refresh(), delayMs);
  }

  /** Shows a value that did not come from a read, and stops the read that runs: its answer may be older. */
  set(value: T): void {
    this.stop();
    this.show(value);
  }

  private show(value: T): void {
    const text = JSON.stringify(value);
    this.unchangedReads = text === this.last ? this.unchangedReads + 1 : 0;
    if (text !== this.last) this.value.set(value);
    this.last = text;
    this.problem.set(null);
  }

  /** Clears everything, for another order. */
  reset(): void {
    this.stop();
    this.value.set(null);
    this.problem.set(null);
    this.readAt.set(null);
    this.unchangedReads = 0;
    this.last = '';
  }

  stop(): void {
    this.clear();
    this.running?.unsubscribe();
    this.running = null;
    this.again = false;
  }

  private clear(): void {
    clearTimeout(this.timer);
    clearTimeout(this.soon);
    this.soon = undefined;
  }

  private refreshIfNeeded(): void {
    if (this.shouldPoll()) this.refresh();
  }

  private onValue(value: T): void {
    this.show(value);
    this.readAt.set(Date.now());
    this.onRead(value);
    this.scheduleNext();
  }

  private onError(error: unknown): void {
    this.unchangedReads += 1;
    this.problem.set(Problem.of(this.service, error));
    this.scheduleNext();
  }

  private scheduleNext(): void {
    this.running = null;
    if (this.again) {
      this.again = false;
      this.refresh();
    } else if (this.shouldPoll()) {
      this.timer = setTimeout(() => this.refreshIfNeeded(), this.pause(this.unchangedReads));
    }
  }
}
