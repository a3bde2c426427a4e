import { DOCUMENT, DestroyRef, Injectable, computed, inject, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { fromEvent } from 'rxjs';

import { Notifications } from '../api/notifications';
import { Orders, TaggedOrder } from '../api/orders';
import { Problem } from '../api/problem';
import { Sagas } from '../api/sagas';
import { Timings } from '../api/timings';
import { Feed, Received } from '../push/feed';
import { Facts } from './facts';
import { journey } from './journey';
import { Source } from './source';

const NOT_FOUND = 404;

/** Follows one order: reads it at each push about it and every few seconds, as long as there is more to come. */
@Injectable()
export class OrderWatch {
  private readonly orders = inject(Orders);
  private readonly sagas = inject(Sagas);
  private readonly notifications = inject(Notifications);
  private readonly timings = inject(Timings);
  private readonly feed = inject(Feed);
  private readonly document = inject(DOCUMENT);

  private readonly id = signal(0);
  private readonly live = signal<readonly Received[]>([]);
  /** Whether there is more to come, if only the news that a service is back. */
  private readonly wanted = (): boolean =>
    !this.document.hidden && !this.missing() && (!this.journey().settled || this.problems().length > 0);
  private readonly order = new Source('order', () => this.orders.get(this.id()), this.wanted);
  private readonly work = new Source('processing', () => this.sagas.of(this.id()), this.wanted);
  private readonly history = new Source('notification', () => this.notifications.of(this.id()), this.wanted);
  private readonly sources = [this.order, this.work, this.history];

  /** The order as it was read last, with its tag. */
  readonly tagged = this.order.value.asReadonly();
  /** Why services could not be asked the last time. */
  readonly problems = computed<readonly Problem[]>(() =>
    this.sources.map((source) => source.problem()).filter((problem) => problem !== null),
  );
  /** Whether the order service says that there is no such order. */
  readonly missing = computed(() => this.order.problem()?.status === NOT_FOUND && this.order.value() === null);
  readonly journey = computed(() => journey(this.facts()));
  private readonly facts = computed<Facts>(() => ({
    order: this.order.value()?.order ?? null,
    sagas: this.work.value(),
    history: this.history.value(),
    live: this.live(),
    timing: this.timings.of(this.id()),
    now: Date.now(),
  }));

  constructor() {
    this.feed.events.pipe(takeUntilDestroyed()).subscribe((received) => this.hear(received));
    fromEvent(this.document, 'visibilitychange')
      .pipe(takeUntilDestroyed())
      .subscribe(() => {
        if (this.wanted()) this.refresh();
      });
    inject(DestroyRef).onDestroy(() => this.stop());
  }

  /** Follows the order *id* from now on. */
  watch(id: number): void {
    this.stop();
    this.id.set(id);
    for (const source of this.sources) source.forget();
    this.live.set(this.feed.recent().filter((each) => each.notification.orderId === id));
    this.refresh();
  }

  refresh(): void {
    for (const source of this.sources) source.refresh();
  }

  /** Takes the answer to a change of the order. */
  changed(order: TaggedOrder): void {
    this.order.put(order);
    this.refresh();
  }

  private hear(received: Received): void {
    if (received.notification.orderId !== this.id()) return;
    if (this.live().some((each) => each.notification.id === received.notification.id)) return;
    this.live.update((live) => [...live, received]);
    if (!this.document.hidden) this.refresh();
  }

  private stop(): void {
    for (const source of this.sources) source.stop();
  }
}
