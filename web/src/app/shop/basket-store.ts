import { DOCUMENT, DestroyRef, Injectable, computed, inject, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { filter, fromEvent } from 'rxjs';

import { deviceStorage } from '../browser';
import { Session } from '../sign-in/session';
import { Basket, Change, changed, emptyBasket, read } from './basket';
import { randomKey } from './key';

export const STORAGE_KEY = 'orderstream.basket';

/** The basket of a person in this browser: persistent, and shared by all tabs. */
@Injectable({ providedIn: 'root' })
export class BasketStore {
  private readonly key = inject(Session).own(STORAGE_KEY);
  private readonly current = signal<Basket>(read(deviceStorage.read(this.key)) ?? emptyBasket(randomKey));
  private readonly isStored = signal(true);
  readonly basket = this.current.asReadonly();
  /** False when the browser stores nothing: the basket lasts as long as this document. */
  readonly lasting = this.isStored.asReadonly();
  readonly productIds = computed(() => this.current().lines.map((line) => line.productId));

  constructor() {
    fromEvent<StorageEvent>(inject(DOCUMENT).defaultView ?? window, 'storage')
      .pipe(
        // the key is null when the storage was cleared
        filter((event) => event.key === this.key || event.key === null),
        takeUntilDestroyed(inject(DestroyRef)),
      )
      .subscribe((event) => this.current.set(read(event.newValue) ?? emptyBasket(randomKey)));
  }

  change(change: Change): void {
    const next = changed(this.current(), change, randomKey);
    if (next === this.current()) return;
    this.current.set(next);
    this.isStored.set(deviceStorage.write(this.key, JSON.stringify(next)));
  }
}
