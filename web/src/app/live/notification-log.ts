import { DestroyRef, Injectable, computed, effect, inject, signal, untracked } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { formatEventId } from 'orderstream-client';
import { Subscription } from 'rxjs';

import { HistoryPage, Notifications, Recorded } from '../api/notifications';
import { Problem } from '../api/problem';
import { Feed, Notification, Received } from '../push/feed';

/** A notification that was pushed to this browser, or read from the history. */
export interface LogEntry {
  readonly notification: Recorded;
  /** Null when it was read. */
  readonly received: Received | null;
}

/** The maximum number of entries while new ones come, and of new ones after more were read; all can be read again. */
export const LOG_LIMIT = 1_000;

/**
 * What was told, the newest first, without gaps and duplicates: the history up to where the feed was when it was
 * opened, and what has come since. When the feed starts anew, so does this.
 */
@Injectable()
export class NotificationLog {
  private readonly feed = inject(Feed);
  private readonly history = inject(Notifications);
  private readonly all = signal<readonly LogEntry[]>([]);
  private readonly cursor = signal<string | null>(null);
  private readonly orders = signal<ReadonlySet<number> | null>(null);
  private readonly isComplete = signal(false);
  private reading = Subscription.EMPTY;
  private limit = LOG_LIMIT;

  readonly entries = this.all.asReadonly();
  readonly problem = signal<Problem | null>(null);
  readonly busy = signal(false);
  /** Whether the history may have more. */
  readonly more = computed(() => !this.isComplete());

  constructor() {
    this.feed.events.pipe(takeUntilDestroyed()).subscribe((received) => this.add(received));
    effect(() => {
      this.orders();
      // what comes before it is known where the feed is, is in the history that is read then
      this.feed.beginnings();
      untracked(() => this.begin());
    });
    effect(() => {
      const isBack = this.feed.state() === 'live';
      untracked(() => {
        if (isBack && this.problem() !== null) this.readOlder();
      });
    });
    inject(DestroyRef).onDestroy(() => this.reading.unsubscribe());
  }

  /** Only of these orders from now on; null is all. */
  filter(orders: ReadonlySet<number> | null): void {
    this.orders.set(orders);
  }

  /** Reads the page of the history before the oldest entry. */
  readOlder(): void {
    if (this.busy()) return;
    this.busy.set(true);
    this.problem.set(null);
    this.reading = this.history.before(this.cursor(), [...(this.orders() ?? [])]).subscribe({
      next: (page) => this.append(page),
      error: (error: unknown) => {
        this.busy.set(false);
        this.problem.set(Problem.of('notification', error));
      },
    });
  }

  private begin(): void {
    this.reading.unsubscribe();
    this.busy.set(false);
    this.isComplete.set(false);
    this.limit = LOG_LIMIT;
    const known = this.feed.recent().filter(({ notification }) => this.isWanted(notification));
    this.all.set(known.map((received) => ({ notification: received.notification, received })));
    const position = this.feed.position();
    const afterPosition = position && formatEventId({ ...position, seq: position.seq + 1 });
    this.cursor.set(known.at(-1)?.notification.id ?? afterPosition);
    if (position !== null) this.readOlder();
  }

  private append({ notifications, next }: HistoryPage): void {
    this.busy.set(false);
    this.cursor.set(next);
    this.isComplete.set(next === null);
    this.all.update((entries) => {
      const known = new Set(entries.map((each) => each.notification.id));
      const read = notifications.filter((each) => !known.has(each.id));
      return [...entries, ...read.map((notification) => ({ notification, received: null }))];
    });
    // what was read stays for as many new ones
    const { length } = this.all();
    if (length > LOG_LIMIT) this.limit = length + LOG_LIMIT;
  }

  private add(received: Received): void {
    const { notification } = received;
    if (!this.isWanted(notification)) return;
    const entries = this.all();
    if (entries.some((each) => each.notification.id === notification.id)) return;
    // the page that is being read begins where the oldest entry ends
    const kept = this.busy() ? entries : entries.slice(0, this.limit - 1);
    this.all.set([{ notification, received }, ...kept]);
    if (kept.length === entries.length) return;
    this.cursor.set(kept.at(-1)?.notification.id ?? null);
    this.isComplete.set(false);
  }

  private isWanted({ orderId }: Notification): boolean {
    return this.orders()?.has(orderId) ?? true;
  }
}
