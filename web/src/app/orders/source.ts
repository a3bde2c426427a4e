import { signal } from '@angular/core';
import { Observable, Subscription } from 'rxjs';

import { Service } from '../api/endpoints';
import { Problem } from '../api/problem';

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 15_000;
/** So many reads that tell nothing new are patience, more are a reason to ask less often. */
const PATIENCE = 4;

/** How long to wait after so many reads in a row that told nothing new, in milliseconds. */
export function pause(fruitless: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 1.5 ** Math.max(0, fruitless - PATIENCE));
}

/** What one service says about the order, read again and again; what it said last stays while it is away. */
export class Source<T> {
  readonly value = signal<T | null>(null);
  readonly problem = signal<Problem | null>(null);
  private fruitless = 0;
  private last = '';
  private again = false;
  private running: Subscription | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** *wanted* is asked after each read and before the next: whether there is more to come. */
  constructor(
    private readonly service: Service,
    private readonly read: () => Observable<T>,
    private readonly wanted: () => boolean,
  ) {}

  /** Reads now, or once more after the read that is under way, which may have come too early. */
  refresh(): void {
    clearTimeout(this.timer);
    if (this.running !== null) {
      this.again = true;
      return;
    }
    this.running = new Subscription();
    this.running.add(
      this.read().subscribe({
        next: (value) => this.take(value),
        error: (error: unknown) => this.failed(error),
      }),
    );
  }

  /** Takes what was learnt in another way than by a read. */
  put(value: T): void {
    const text = JSON.stringify(value);
    this.fruitless = text === this.last ? this.fruitless + 1 : 0;
    if (text !== this.last) this.value.set(value);
    this.last = text;
    this.problem.set(null);
  }

  /** Knows nothing any more: what comes is about another order. */
  forget(): void {
    this.stop();
    this.value.set(null);
    this.problem.set(null);
    this.fruitless = 0;
    this.last = '';
  }

  stop(): void {
    clearTimeout(this.timer);
    this.running?.unsubscribe();
    this.running = null;
    this.again = false;
  }

  private refreshIfWanted(): void {
    if (this.wanted()) this.refresh();
  }

  private take(value: T): void {
    this.put(value);
    this.goOn();
  }

  private failed(error: unknown): void {
    this.fruitless += 1;
    this.problem.set(Problem.of(this.service, error));
    this.goOn();
  }

  private goOn(): void {
    this.running = null;
    if (this.again) {
      this.again = false;
      this.refresh();
    } else if (this.wanted()) {
      this.timer = setTimeout(() => this.refreshIfWanted(), pause(this.fruitless));
    }
  }
}
