import { ChangeDetectionStrategy, Component, computed, effect, inject, linkedSignal, signal } from '@angular/core';
import { RouterLink } from '@angular/router';

import { explanation } from '../api/explanation';
import { Notice } from '../design/notice';
import { Skeleton } from '../design/skeleton';
import { Feed } from '../push/feed';
import { texts } from '../texts';
import { NotificationList } from './notification-list';
import { LogEntry, NotificationLog } from './notification-log';
import { parseOrders } from './order-filter';

/** The number of rows at first, and of those that each request for older ones adds: it keeps the page fast. */
const ROWS = 100;

/** The history and the live feed as one list, with a filter by order and a pause. */
@Component({
  selector: 'app-feed-view',
  imports: [Notice, NotificationList, RouterLink, Skeleton],
  providers: [NotificationLog],
  templateUrl: './feed-view.html',
  styleUrl: './feed-view.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class FeedView {
  protected readonly log = inject(NotificationLog);
  private readonly limit = signal(ROWS);
  protected readonly texts = texts.live.feed;
  protected readonly filterText = signal('');
  protected readonly orders = computed(() => parseOrders(this.filterText()));
  /** The notifications at the time of the pause, which ends when the feed starts anew. */
  protected readonly held = linkedSignal<number, readonly LogEntry[] | null>({
    source: inject(Feed).beginnings,
    computation: () => null,
  });
  private readonly known = computed(() => this.held() ?? this.log.entries());
  protected readonly rows = computed(() => this.known().slice(0, this.limit()));
  protected readonly shown = computed(() => texts.live.feed.shown(this.rows().length, this.known().length));
  protected readonly more = computed(() => this.rows().length < this.known().length || this.log.more());
  protected readonly problem = computed(() => {
    const problem = this.log.problem();
    return problem === null ? '' : explanation(problem);
  });
  protected readonly pausedText = computed(() => {
    const held = this.held();
    return held === null ? '' : texts.live.feed.paused(this.countSince(held));
  });
  protected readonly address = computed(() => {
    const orders = this.orders();
    if (!(orders instanceof Set)) return '';
    return texts.live.feed.filtered(`/stream?${[...orders].map((each) => `orderId=${each.toString()}`).join('&')}`);
  });

  constructor() {
    effect(() => {
      const orders = this.orders();
      if (orders !== 'wrong') this.log.filter(orders);
    });
  }

  protected filter(event: Event): void {
    this.held.set(null);
    this.filterText.set((event.target as HTMLInputElement).value);
  }

  protected togglePause(): void {
    this.held.update((held) => (held === null ? this.log.entries() : null));
  }

  protected showOlder(): void {
    this.held.set(null);
    if (this.rows().length === this.known().length) this.log.readOlder();
    this.limit.update((limit) => limit + ROWS);
  }

  private countSince(held: readonly LogEntry[]): number {
    const entries = this.log.entries();
    const newest = held[0];
    const index = newest === undefined ? -1 : entries.indexOf(newest);
    return index < 0 ? entries.length : index;
  }
}
