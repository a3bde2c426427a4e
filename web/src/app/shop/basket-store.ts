import { DOCUMENT, DestroyRef, Injectable, computed, inject, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { filter, fromEvent } from 'rxjs';

import { Basket, Change, changed, emptyBasket, read } from './basket';
import { randomKey } from './key';

export const STORED_AS = 'orderstream.basket';

/** The basket of this browser: it outlives the page, and is the same in all tabs. */
@Injectable({ providedIn: 'root' })
export class BasketStore {
  private readonly current = signal<Basket>(read(localStorage.getItem(STORED_AS)) ?? emptyBasket(randomKey));
  readonly basket = this.current.asReadonly();
  readonly productIds = computed(() => this.current().lines.map((line) => line.productId));

  constructor() {
    fromEvent<StorageEvent>(inject(DOCUMENT).defaultView ?? window, 'storage')
      .pipe(
        // no name: everything was taken out
        filter((event) => event.key === STORED_AS || event.key === null),
        takeUntilDestroyed(inject(DestroyRef)),
      )
      .subscribe((event) => this.current.set(read(event.newValue) ?? emptyBasket(randomKey)));
  }

  change(change: Change): void {
    const next = changed(this.current(), change, randomKey);
    if (next === this.current()) return;
    this.current.set(next);
    localStorage.setItem(STORED_AS, JSON.stringify(next));
  }
}
