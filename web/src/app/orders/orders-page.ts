import {
  DOCUMENT,
  ChangeDetectionStrategy,
  Component,
  DestroyRef,
  computed,
  effect,
  inject,
  input,
  signal,
  untracked,
} from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import { Router, RouterLink } from '@angular/router';
import { Subject, Subscription, auditTime, filter, fromEvent, interval, merge, skip } from 'rxjs';

import { explanation } from '../api/explanation';
import { Order, OrderStatus, Orders } from '../api/orders';
import { Problem } from '../api/problem';
import { Notice } from '../design/notice';
import { Skeleton } from '../design/skeleton';
import { StatusBadge } from '../design/status-badge';
import { Feed } from '../push/feed';
import { Session } from '../sign-in/session';
import { texts } from '../texts';
import { duration } from './durations';
import { Listing, firstPage, withOlder, refreshed, withNotification } from './listing';
import { elapsed, parseTime } from './timestamps';

const LIMIT = 50;
/** Under load there are many pushes a second; one read covers all of them. */
const MIN_INTERVAL_MS = 1_000;
/** The interval without pushes. */
const POLL_MS = 5_000;
/** The maximum number of named items of an order. */
const MAX_NAMED_ITEMS = 3;
const STATUSES: readonly OrderStatus[] = ['CREATED', 'CLOSED', 'FAILED', 'CANCELLED'];

/** The orders that the person may see, newest first, with live updates. */
@Component({
  selector: 'app-orders-page',
  imports: [Notice, RouterLink, Skeleton, StatusBadge],
  templateUrl: './orders-page.html',
  styleUrl: './orders-page.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrdersPage {
  /** A query parameter of the URL, so that the list can be bookmarked. */
  readonly status = input<string>();
  protected readonly title = inject(Session).may().seeAll ? texts.orders.title : texts.orders.own.title;
  protected readonly texts = texts.orders.list;
  protected readonly statuses = STATUSES;
  protected readonly statusTexts = texts.common.statuses;
  protected readonly wanted = computed(() => STATUSES.find((each) => each === this.status()) ?? null);
  protected readonly follow = signal(true);
  protected readonly listing = signal<Listing | null>(null);
  protected readonly problem = signal<Problem | null>(null);
  protected readonly older = signal(false);
  protected readonly rows = computed(() => (this.listing()?.rows ?? []).map(row));

  private readonly orders = inject(Orders);
  private readonly feed = inject(Feed);
  private readonly router = inject(Router);
  private readonly document = inject(DOCUMENT);
  private pages = 1;
  private readonly again = new Subject<void>();
  private reading = Subscription.EMPTY;
  private readingOlder = Subscription.EMPTY;

  constructor() {
    inject(DestroyRef).onDestroy(() => {
      this.reading.unsubscribe();
      this.readingOlder.unsubscribe();
    });
    effect(() => {
      this.wanted();
      untracked(() => this.begin());
    });
    this.feed.events.pipe(takeUntilDestroyed()).subscribe(({ notification }) => {
      this.listing.update((listing) => listing && withNotification(listing, notification, this.wanted()));
    });
    const silent = interval(POLL_MS).pipe(filter(() => this.feed.state() !== 'live' || this.problem() !== null));
    merge(
      this.feed.events,
      this.again,
      silent,
      fromEvent(this.document, 'visibilitychange'),
      fromEvent(this.document.defaultView ?? globalThis, 'online'),
      toObservable(this.feed.state).pipe(skip(1)),
    )
      .pipe(
        auditTime(MIN_INTERVAL_MS),
        filter(() => !this.document.hidden),
        takeUntilDestroyed(),
      )
      .subscribe(() => this.refresh());
  }

  protected filter(event: Event): void {
    const status = (event.target as HTMLSelectElement).value;
    void this.router.navigate(['/orders'], { queryParams: status === '' ? {} : { status } });
  }

  protected setFollow(event: Event): void {
    this.follow.set((event.target as HTMLInputElement).checked);
    if (this.follow()) this.showFresh();
  }

  protected detail(problem: Problem): string {
    return explanation(problem);
  }

  /** Shows the new orders. */
  protected showFresh(): void {
    this.pages = 1;
    this.read((page) => firstPage(page));
  }

  /** Reads the first page again; during a read, once more after it, because that read may be too early. */
  protected refresh(): void {
    if (!this.reading.closed) {
      this.again.next();
      return;
    }
    this.read((page, listing) =>
      listing === null ? firstPage(page) : refreshed(listing, page, this.follow(), this.pages * LIMIT),
    );
  }

  protected showOlder(): void {
    const after = this.listing()?.next ?? null;
    if (after === null || this.older()) return;
    this.older.set(true);
    this.readingOlder = this.orders.list(this.wanted() ?? undefined, after, LIMIT).subscribe({
      next: (page) => {
        this.pages += 1;
        this.older.set(false);
        this.listing.update((listing) => listing && withOlder(listing, page));
      },
      error: (error: unknown) => {
        this.older.set(false);
        this.problem.set(Problem.of('order', error));
      },
    });
  }

  private begin(): void {
    this.reading.unsubscribe();
    this.readingOlder.unsubscribe();
    this.older.set(false);
    this.listing.set(null);
    this.problem.set(null);
    this.showFresh();
  }

  private read(become: (page: Parameters<typeof firstPage>[0], before: Listing | null) => Listing): void {
    this.reading.unsubscribe();
    this.reading = this.orders.list(this.wanted() ?? undefined, undefined, LIMIT).subscribe({
      next: (page) => {
        this.problem.set(null);
        this.listing.update((before) => become(page, before));
      },
      error: (error: unknown) => this.problem.set(Problem.of('order', error)),
    });
  }
}

interface Row {
  readonly order: Order;
  readonly name: string;
  readonly items: string;
  readonly placed: string;
  readonly took: string;
}

function row(order: Order): Row {
  const labels = texts.orders.list;
  const named = order.orderItems.slice(0, MAX_NAMED_ITEMS).map((item) => labels.line(item.productId, item.quantity));
  const unnamed = order.orderItems.length - named.length;
  const created = parseTime(order.createdAt);
  const took = elapsed(created, parseTime(order.updatedAt));
  return {
    order,
    name: labels.name(order.id),
    items: [...named, ...(unnamed > 0 ? [labels.andMore(unnamed)] : [])].join(', '),
    placed: created === null ? '' : texts.orders.at(created),
    took: order.status === 'CREATED' ? labels.open : took === null ? '' : duration(took),
  };
}
