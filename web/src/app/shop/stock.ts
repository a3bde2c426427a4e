import { DOCUMENT, DestroyRef, Injectable, Signal, inject, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import {
  EMPTY,
  Observable,
  auditTime,
  concat,
  expand,
  filter,
  finalize,
  fromEvent,
  interval,
  map,
  merge,
  reduce,
} from 'rxjs';

import { Inventory, MAX_NAMED, Product, ProductPage } from '../api/inventory';
import { Problem } from '../api/problem';
import { Feed, Notification } from '../push/feed';
import { Catalogue, replaced, updated } from './catalogue';

export const INTERVAL_MS = 15_000;
/** Batches notifications: one read covers all of them. */
export const BATCH_MS = 500;
/** The maximum number of pages read. */
export const MAX_PAGES = 25;

/** The live stock: read after notifications, when the page becomes visible, and every 15 s. */
@Injectable()
export class Stock {
  private readonly inventory = inject(Inventory);
  private readonly document = inject(DOCUMENT);
  private readonly destroyed = inject(DestroyRef);
  private readonly followed: Signal<readonly string[]>[] = [];
  private again: 'no' | 'followed' | 'all' = 'no';

  readonly catalogue = signal<Catalogue | null>(null);
  /** The time of the last read, in milliseconds since 1970. */
  readonly readAt = signal<number | null>(null);
  /** Why the last read failed. */
  readonly problem = signal<Problem | null>(null);
  readonly reading = signal(false);

  constructor() {
    const window = this.document.defaultView ?? globalThis;
    const back = merge(
      fromEvent(this.document, 'visibilitychange'),
      fromEvent(window, 'focus'),
      fromEvent(window, 'online'),
    ).pipe(auditTime(0));
    merge(back, interval(INTERVAL_MS))
      .pipe(
        filter(() => this.isVisible()),
        takeUntilDestroyed(),
      )
      .subscribe(() => this.read('all'));
    inject(Feed)
      .events.pipe(
        filter(({ notification }) => changesStock(notification)),
        auditTime(BATCH_MS),
        filter(() => this.isVisible()),
        takeUntilDestroyed(),
      )
      .subscribe(() => this.read('followed'));
    this.read('all');
  }

  /** Registers products that are kept up to date even when there are too many to read all each time. */
  follow(productIds: Signal<readonly string[]>): void {
    this.followed.push(productIds);
  }

  refresh(): void {
    this.read('all');
  }

  /** Reads again at the user's request, and shows that it does. */
  tryAgain(): void {
    if (this.catalogue() === null) this.problem.set(null);
    this.read('all');
  }

  // one read at a time: responses stay in order, and a slow service gets no further requests
  private read(what: 'followed' | 'all'): void {
    if (this.reading()) {
      if (this.again !== 'all') this.again = what;
      return;
    }
    this.reading.set(true);
    (what === 'all' ? this.readAll() : this.readFollowed())
      .pipe(
        finalize(() => this.readAgain()),
        takeUntilDestroyed(this.destroyed),
      )
      .subscribe({
        next: (catalogue) => this.show(catalogue),
        error: (error: unknown) => this.problem.set(Problem.of('inventory', error)),
      });
  }

  private show(catalogue: Catalogue): void {
    this.catalogue.set(catalogue);
    this.readAt.set(Date.now());
    this.problem.set(null);
  }

  private readAgain(): void {
    const what = this.again;
    this.again = 'no';
    this.reading.set(false);
    if (what !== 'no' && !this.destroyed.destroyed) this.read(what);
  }

  private readAll(): Observable<Catalogue> {
    return this.inventory.page().pipe(
      expand((page, index) => (page.next === null || index + 1 >= MAX_PAGES ? EMPTY : this.inventory.page(page.next))),
      reduce<ProductPage, ProductPage>((sum, page) => ({ items: [...sum.items, ...page.items], next: page.next }), {
        items: [],
        next: null,
      }),
      map(({ items, next }) => replaced(this.catalogue(), items, next === null)),
    );
  }

  private readFollowed(): Observable<Catalogue> {
    const known = this.catalogue();
    const asked = [...new Set(this.followed.flatMap((productIds) => productIds()))];
    // a small catalogue is one page, and one request either way
    if (known === null || known.products.length <= MAX_NAMED) return this.readAll();
    const parts = Array.from({ length: Math.ceil(asked.length / MAX_NAMED) }, (_, at) =>
      this.inventory.named(asked.slice(at * MAX_NAMED, (at + 1) * MAX_NAMED)),
    );
    return concat(...parts).pipe(
      reduce<readonly Product[], readonly Product[]>((sum, found) => [...sum, ...found], []),
      map((found) => updated(known, asked, found)),
    );
  }

  private isVisible(): boolean {
    return this.document.visibilityState === 'visible';
  }
}

// a new order does not change the stock before it is processed
function changesStock(notification: Notification): boolean {
  return notification.kind !== 'CREATED';
}
