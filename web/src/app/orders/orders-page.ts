import {
  DOCUMENT,
  ChangeDetectionStrategy,
  Component,
  DestroyRef,
  computed,
  effect,
  inject,
  linkedSignal,
  signal,
  untracked,
} from '@angular/core';
import { takeUntilDestroyed, toObservable, toSignal } from '@angular/core/rxjs-interop';
import { ActivatedRoute, Router, RouterLink } from '@angular/router';
import {
  EMPTY,
  Observable,
  Subject,
  Subscription,
  catchError,
  defer,
  exhaustMap,
  finalize,
  from,
  fromEvent,
  map,
  merge,
  mergeMap,
  skip,
  tap,
} from 'rxjs';

import { explanation } from '../api/explanation';
import { Order, OrderPage, Orders } from '../api/orders';
import { Poller } from '../api/poller';
import { Problem } from '../api/problem';
import { AsOf } from '../design/as-of';
import { Notice } from '../design/notice';
import { Skeleton } from '../design/skeleton';
import { StatusBadge } from '../design/status-badge';
import { Feed, Notification } from '../push/feed';
import { Session } from '../sign-in/session';
import { texts } from '../texts';
import { CriteriaForm } from './criteria-form';
import { Criteria, NO_CRITERIA, criteriaOf, filterOf, invalid, queryOf } from './criteria';
import { duration } from './durations';
import { Listing, afterNotification, firstPage, withOlder, refreshed, withNotification, withReread } from './listing';
import { elapsed, parseTime } from './timestamps';

const LIMIT = 50;
/** Under load there are many pushes a second; one read covers all of them. */
const MIN_INTERVAL_MS = 1_000;
/** The interval while pushes come: it shows when the list was read last, and that the service is away. */
const LIVE_POLL_MS = 15_000;
/** The interval without pushes. */
const POLL_MS = 5_000;
/** The orders that are read again at the same time. */
const MAX_REREADS = 4;
/** The maximum number of named items of an order. */
const MAX_NAMED_ITEMS = 3;
/** The pages without a match that are read on before the person is asked. */
const MAX_EMPTY_PAGES = 4;

/** The orders that the person may see, newest first, with live updates. */
@Component({
  selector: 'app-orders-page',
  imports: [AsOf, CriteriaForm, Notice, RouterLink, Skeleton, StatusBadge],
  templateUrl: './orders-page.html',
  styleUrl: './orders-page.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrdersPage {
  protected readonly seesAll = inject(Session).may().seeAll;
  protected readonly title = this.seesAll ? texts.orders.title : texts.orders.own.title;
  protected readonly texts = texts.orders.list;
  // in the URL, so that the list can be bookmarked
  private readonly query = toSignal(inject(ActivatedRoute).queryParamMap, { requireSync: true });
  protected readonly criteria = computed(() => criteriaOf(this.query()), {
    equal: (one, other) => JSON.stringify(one) === JSON.stringify(other),
  });
  /** What of the URL is no filter: to leave it out would list orders that nobody asked for. */
  protected readonly wrong = computed(() => {
    const criteria = this.criteria();
    const unknown = this.query().keys.filter((name) => !Object.hasOwn(criteria, name));
    return [
      ...invalid(criteria).map((name) => this.texts.given(this.texts.criteria[name], criteria[name])),
      ...unknown,
    ];
  });
  protected readonly wanted = computed(() => filterOf(this.criteria()));
  protected readonly filtered = computed(() => Object.keys(this.wanted()).length > 0);
  protected readonly follow = signal(true);
  /** Starts anew with other criteria. */
  protected readonly listing = linkedSignal<Criteria, Listing | null>({
    source: this.criteria,
    computation: () => null,
  });
  protected readonly older = signal(false);
  protected readonly olderProblem = signal<Problem | null>(null);
  private readonly rereadProblem = signal<Problem | null>(null);
  protected readonly rows = computed(() => (this.listing()?.rows ?? []).map(rowOf));

  private readonly orders = inject(Orders);
  private readonly feed = inject(Feed);
  private readonly router = inject(Router);
  private readonly document = inject(DOCUMENT);
  private pages = 1;
  private replace = true;
  private readingOlder = Subscription.EMPTY;
  /** The versions of changed orders that are shown, as pushes tell them. */
  private readonly versions = new Map<number, number>();
  private readonly firstPages = new Subject<void>();
  private readonly first: Poller<OrderPage> = new Poller<OrderPage>(
    'order',
    () => this.read(),
    () => !this.document.hidden,
    { pause: () => this.pause(), onRead: (page) => this.onFirstPage(page) },
  );
  protected readonly readAt = this.first.readAt.asReadonly();
  protected readonly problem = computed(() => this.olderProblem() ?? this.rereadProblem() ?? this.first.problem());

  constructor() {
    inject(DestroyRef).onDestroy(() => {
      this.first.stop();
      this.readingOlder.unsubscribe();
    });
    effect(() => {
      this.criteria();
      this.wrong();
      untracked(() => this.begin());
    });
    let known = this.feed.beginnings();
    effect(() => {
      const beginnings = this.feed.beginnings();
      // what was told of the rows beyond the first page may not be so any more; the first is where the feed is
      if (known > 0 && beginnings > known) untracked(() => this.showFresh());
      known = beginnings;
    });
    this.feed.events.pipe(takeUntilDestroyed()).subscribe(({ notification }) => {
      if (notification.kind === 'UPDATED') this.onChanged(notification.orderId, notification.version);
      this.listing.update(
        (listing) => listing && withNotification(listing, notification, this.wanted().status ?? null),
      );
    });
    merge(
      this.feed.events,
      fromEvent(this.document, 'visibilitychange'),
      fromEvent(this.document.defaultView ?? globalThis, 'online'),
      toObservable(this.feed.state).pipe(skip(1)),
    )
      .pipe(takeUntilDestroyed())
      .subscribe(() => {
        if (!this.document.hidden && this.wrong().length === 0) this.first.refreshIn(MIN_INTERVAL_MS);
      });
    this.firstPages
      .pipe(
        exhaustMap(() => from(this.outdated()).pipe(mergeMap((id) => this.reread(id), MAX_REREADS))),
        takeUntilDestroyed(),
      )
      .subscribe();
  }

  protected find(criteria: Criteria): void {
    void this.router.navigate(['/orders'], { queryParams: queryOf(criteria) });
  }

  protected clear(): void {
    this.find(NO_CRITERIA);
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
    this.replace = true;
    if (this.wrong().length === 0) this.first.refresh();
  }

  protected refresh(): void {
    this.olderProblem.set(null);
    this.first.refresh();
  }

  protected showOlder(emptyPages = 0): void {
    const after = this.listing()?.next ?? null;
    if (after === null || this.older()) return;
    this.older.set(true);
    this.readingOlder = this.read(after).subscribe({
      next: (page) => {
        this.older.set(false);
        this.olderProblem.set(null);
        const listing = this.listing();
        // the first page took the place of all that was shown: this one does not follow it
        if (listing?.next !== after) return;
        this.pages += page.orders.length > 0 ? 1 : 0;
        this.listing.set(withOlder(listing, page));
        if (page.orders.length === 0 && emptyPages < MAX_EMPTY_PAGES) this.showOlder(emptyPages + 1);
      },
      error: (error: unknown) => {
        this.older.set(false);
        this.olderProblem.set(Problem.of('order', error));
      },
    });
  }

  /** Reads a page; of an order that ended meanwhile it may have what was before. */
  private read(after?: number): Observable<OrderPage> {
    return defer(() => {
      const wanted = this.wanted();
      const meanwhile: Notification[] = [];
      const hearing = this.feed.events.subscribe(({ notification }) => meanwhile.push(notification));
      const now = (orders: readonly Order[]): readonly Order[] =>
        meanwhile.reduce((sum, each) => afterNotification(sum, each, wanted.status ?? null), orders);
      return this.orders.list(wanted, after, LIMIT).pipe(
        map((page) => ({ ...page, orders: now(page.orders) })),
        finalize(() => hearing.unsubscribe()),
      );
    });
  }

  private onChanged(id: number, version: number): void {
    // one that is being read may have come from before the change
    if (this.older() || this.listing()?.rows.some((each) => each.id === id)) this.versions.set(id, version);
  }

  /** The shown orders whose change was pushed and that the first page, just read, does not have. */
  private outdated(): readonly number[] {
    const rows = this.listing()?.rows ?? [];
    const outdated = rows.filter(
      (each) => each.status === 'CREATED' && each.version < (this.versions.get(each.id) ?? 0),
    );
    const ids = outdated.map((each) => each.id);
    for (const id of this.versions.keys()) if (!this.older() && !ids.includes(id)) this.versions.delete(id);
    this.rereadProblem.set(null);
    return ids;
  }

  /** Reads an order again, by the criteria of the list: a push does not tell what was ordered. */
  private reread(id: number): Observable<unknown> {
    const wanted = this.wanted();
    return this.orders.list({ ...wanted, number: id.toString() }, undefined, LIMIT).pipe(
      tap((page) => {
        if (this.wanted() !== wanted) return;
        this.listing.update((listing) => listing && withReread(listing, id, page.orders[0] ?? null));
      }),
      catchError((error: unknown) => {
        this.rereadProblem.set(Problem.of('order', error));
        return EMPTY;
      }),
    );
  }

  private pause(): number {
    return this.feed.state() === 'live' && this.first.problem() === null ? LIVE_POLL_MS : POLL_MS;
  }

  private begin(): void {
    this.first.reset();
    this.readingOlder.unsubscribe();
    this.older.set(false);
    this.olderProblem.set(null);
    this.showFresh();
  }

  private onFirstPage(page: OrderPage): void {
    if (this.replace) this.pages = 1;
    const { replace } = this;
    this.replace = false;
    this.listing.update((listing) =>
      listing === null || replace
        ? firstPage(page, listing)
        : // the page of older ones that is being read follows the last row
          refreshed(listing, page, this.follow(), this.older() ? Infinity : this.pages * LIMIT),
    );
    // with several filters, the first pages may have no match
    if (this.listing()?.rows.length === 0 && replace) this.showOlder();
    this.firstPages.next();
  }
}

interface Row {
  readonly order: Order;
  readonly name: string;
  readonly customer: string;
  readonly items: string;
  readonly placed: string;
  readonly took: string;
}

// formatting hundreds of rows at each push would block the page
const rows = new WeakMap<Order, Row>();

function rowOf(order: Order): Row {
  const known = rows.get(order) ?? row(order);
  rows.set(order, known);
  return known;
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
    customer: order.customerId,
    items: [...named, ...(unnamed > 0 ? [labels.andMore(unnamed)] : [])].join(', '),
    placed: created === null ? '' : texts.orders.at(created),
    took: order.status === 'CREATED' ? labels.open : took === null ? '' : duration(took),
  };
}
