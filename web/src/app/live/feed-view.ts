import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Notice } from '../design/notice';
import { Feed, Received } from '../push/feed';
import { texts } from '../texts';
import { NotificationList } from './notification-list';
import { parseOrders } from './order-filter';

/** The maximum number of rows, which keeps the page fast. */
const ROWS = 100;

/** The shared feed, with a filter by order and a pause. */
@Component({
  selector: 'app-feed-view',
  imports: [Notice, NotificationList, RouterLink],
  templateUrl: './feed-view.html',
  styleUrl: './feed-view.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class FeedView {
  private readonly feed = inject(Feed);
  protected readonly texts = texts.live.feed;
  protected readonly filterText = signal('');
  protected readonly orders = computed(() => parseOrders(this.filterText()));
  /** The notifications at the time of the pause. */
  protected readonly held = signal<readonly Received[] | null>(null);
  private readonly matching = computed(() => this.select(this.held() ?? this.feed.recent()));
  protected readonly rows = computed(() => this.matching().slice(0, ROWS));
  protected readonly shown = computed(() => texts.live.feed.shown(this.rows().length, this.matching().length));
  protected readonly pausedText = computed(() => {
    const held = this.held();
    return held === null ? '' : texts.live.feed.paused(this.countSince(held));
  });
  protected readonly address = computed(() => {
    const orders = this.orders();
    if (!(orders instanceof Set)) return '';
    return texts.live.feed.filtered(`/stream?${[...orders].map((each) => `orderId=${each.toString()}`).join('&')}`);
  });

  protected filter(event: Event): void {
    this.filterText.set((event.target as HTMLInputElement).value);
  }

  protected togglePause(): void {
    this.held.update((held) => (held === null ? this.feed.recent() : null));
  }

  private select(received: readonly Received[]): readonly Received[] {
    const orders = this.orders();
    if (orders === null || orders === 'wrong') return received;
    return received.filter((each) => orders.has(each.notification.orderId));
  }

  private countSince(held: readonly Received[]): number {
    const recent = this.feed.recent();
    const newest = held[0];
    const index = newest === undefined ? -1 : recent.indexOf(newest);
    return this.select(index < 0 ? recent : recent.slice(0, index)).length;
  }
}
