import { DOCUMENT, DestroyRef, Injectable, computed, effect, inject, signal, untracked } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { Observable, fromEvent, map, merge, of, switchMap } from 'rxjs';

import { AnnouncedEvent, Evidence } from '../api/evidence';
import { Notifications } from '../api/notifications';
import { Orders, TaggedOrder } from '../api/orders';
import { Poller } from '../api/poller';
import { Problem } from '../api/problem';
import { Saga, Sagas } from '../api/sagas';
import { Timings } from '../api/timings';
import { Feed, Received } from '../push/feed';
import { Facts, isPast } from './facts';
import { journey } from './journey';
import { parseTime } from './timestamps';

const NOT_FOUND = 404;
/** How long a timeline waits for the slowest service, so that its rows come at once. */
const PATIENCE_MS = 800;

interface SagasWithEvents {
  readonly sagas: readonly Saga[];
  readonly events: readonly AnnouncedEvent[];
}

/** Follows one order: reads it at each push about it, and every few seconds until it is settled. */
@Injectable()
export class OrderWatch {
  private readonly orders = inject(Orders);
  private readonly sagas = inject(Sagas);
  private readonly notifications = inject(Notifications);
  private readonly timings = inject(Timings);
  private readonly evidence = inject(Evidence);
  private readonly feed = inject(Feed);
  private readonly document = inject(DOCUMENT);

  private readonly id = signal(0);
  readonly orderId = this.id.asReadonly();
  private readonly waited = signal(false);
  private patience: ReturnType<typeof setTimeout> | undefined;
  private readonly live = signal<readonly Received[]>([]);
  private readonly told = computed(() =>
    [...(this.history.value() ?? []), ...this.live().map((each) => each.notification)].map((each) => each.id),
  );
  /** Where the feed is, as far as it matters here: it moves with each notification of any order. */
  private readonly position = computed(
    () => {
      this.told();
      return this.feed.position();
    },
    { equal: (one, other) => this.told().every((id) => isPast(id, one) === isPast(id, other)) },
  );
  /** Whether an update is expected, including the recovery of a service. */
  private readonly shouldPoll = (): boolean =>
    !this.document.hidden &&
    !this.missing() &&
    (!this.journey().settled || this.unsent() || this.problems().length > 0);
  private readonly order = new Poller('order', () => this.orders.get(this.id()), this.shouldPoll);
  private readonly sagaPoller = new Poller('processing', () => this.sagasWithEvents(), this.shouldPoll);
  private readonly history = new Poller('notification', () => this.notifications.of(this.id()), this.shouldPoll);
  private readonly events = new Poller('order', () => this.evidence.eventsOf('order', this.id()), this.shouldPoll);
  private readonly operations = new Poller('inventory', () => this.evidence.operationsOf(this.id()), this.shouldPoll);
  private readonly pollers = [this.order, this.sagaPoller, this.history, this.events, this.operations];

  /** The last version of the order, with its ETag. */
  readonly tagged = this.order.value.asReadonly();
  /** The problems of the last reads. */
  readonly problems = computed<readonly Problem[]>(() =>
    this.pollers.map((poller) => poller.problem()).filter((problem) => problem !== null),
  );
  /** Whether the order service answered 404, also when it had the order before: its database may have been restored. */
  readonly missing = computed(() => this.order.problem()?.status === NOT_FOUND);
  /** Whether an outbox has an event that was not sent when it was read. */
  private readonly unsent = computed(() =>
    (this.facts().events ?? []).some((event) => event.sentAt === null && !event.setAside),
  );
  /** Whether every service was read, or took too long to wait for it. */
  readonly complete = computed(
    () => this.waited() || this.pollers.every((poller) => poller.value() !== null || poller.problem() !== null),
  );
  readonly journey = computed(() => journey(this.facts()));
  readonly facts = computed<Facts>(() => ({
    order: this.order.value()?.order ?? null,
    sagas: this.sagaPoller.value()?.sagas ?? null,
    history: this.history.value(),
    live: this.live(),
    position: this.position(),
    timing: this.timings.of(this.id()),
    events: [...(this.events.value() ?? []), ...(this.sagaPoller.value()?.events ?? [])],
    operations: this.operations.value(),
    now: Date.now(),
  }));

  constructor() {
    this.feed.events.pipe(takeUntilDestroyed()).subscribe((received) => this.onNotification(received));
    merge(fromEvent(this.document, 'visibilitychange'), fromEvent(this.document.defaultView ?? globalThis, 'online'))
      .pipe(takeUntilDestroyed())
      .subscribe(() => {
        if (this.shouldPoll()) this.refresh();
      });
    let known = this.feed.beginnings();
    effect(() => {
      const beginnings = this.feed.beginnings();
      // the first is where the feed is, which takes nothing back
      if (known > 0 && beginnings > known) untracked(() => this.begin());
      known = beginnings;
    });
    inject(DestroyRef).onDestroy(() => this.stop());
  }

  /** Follows the order *id* from now on; 0 is none. */
  watch(id: number): void {
    this.stop();
    this.id.set(id);
    for (const poller of this.pollers) poller.reset();
    this.waited.set(false);
    this.patience = setTimeout(() => this.waited.set(true), PATIENCE_MS);
    this.begin();
  }

  /** Pushes that are no longer in the history, or under other ids, tell nothing of the order. */
  private begin(): void {
    this.live.set(this.feed.recent().filter((each) => each.notification.orderId === this.id()));
    this.refresh();
  }

  refresh(): void {
    if (this.id() === 0) return;
    for (const poller of this.pollers) poller.refresh();
  }

  /** Sets the order from the response to a change, unless a read has shown what came of it already. */
  changed(changed: TaggedOrder): void {
    const shown = parseTime(this.order.value()?.order.updatedAt) ?? 0;
    if (shown <= (parseTime(changed.order.updatedAt) ?? 0)) this.order.set(changed);
    this.refresh();
  }

  private onNotification(received: Received): void {
    if (received.notification.orderId !== this.id()) return;
    if (this.live().some((each) => each.notification.id === received.notification.id)) return;
    this.live.update((live) => [...live, received]);
    if (!this.document.hidden) this.refresh();
  }

  // an order without a saga has no events of one: to ask for them would be answered with 404
  private sagasWithEvents(): Observable<SagasWithEvents> {
    return this.sagas
      .of(this.id())
      .pipe(
        switchMap((sagas) =>
          sagas.length === 0
            ? of({ sagas, events: [] })
            : this.evidence.eventsOf('processing', this.id()).pipe(map((events) => ({ sagas, events }))),
        ),
      );
  }

  private stop(): void {
    clearTimeout(this.patience);
    for (const poller of this.pollers) poller.stop();
  }
}
