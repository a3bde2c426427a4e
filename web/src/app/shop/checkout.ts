import { Injectable, computed, inject, signal } from '@angular/core';
import { Observable, Subject } from 'rxjs';

import { Orders } from '../api/orders';
import { Problem } from '../api/problem';
import { Traces } from '../traces/traces';
import { BasketStore } from './basket-store';

export type Outcome =
  | { readonly state: 'refused'; readonly key: string; readonly problem: Problem }
  | { readonly state: 'placed'; readonly orderId: number };

export type Attempt = { readonly state: 'none' } | { readonly state: 'placing'; readonly key: string } | Outcome;

/** Orders the basket: one attempt at a time, and the same basket always with the same key. */
@Injectable({ providedIn: 'root' })
export class Checkout {
  private readonly orders = inject(Orders);
  private readonly store = inject(BasketStore);
  private readonly traces = inject(Traces);
  private readonly last = signal<Attempt>({ state: 'none' });
  private readonly ended = new Subject<Outcome>();
  readonly attempt = this.last.asReadonly();
  readonly outcomes: Observable<Outcome> = this.ended.asObservable();
  readonly placing = computed(() => this.last().state === 'placing');
  /** The refusal of the current basket. */
  readonly refusal = computed(() => {
    const last = this.last();
    return last.state === 'refused' && last.key === this.store.basket().key ? last.problem : null;
  });

  /** The last order was seen: nothing more is to be said of it. */
  dismiss(): void {
    if (this.last().state === 'placed') this.last.set({ state: 'none' });
  }

  place(): void {
    const { lines, key } = this.store.basket();
    if (this.placing() || lines.length === 0) return;
    this.last.set({ state: 'placing', key });
    // ends with the response or its timeout, and has to complete after a navigation too
    this.orders.place(lines, key, this.traces.placing()).subscribe({
      next: ({ order }) => {
        this.store.change({ type: 'placed', key });
        this.end({ state: 'placed', orderId: order.id });
      },
      error: (error: unknown) => this.end({ state: 'refused', key, problem: Problem.of('order', error) }),
    });
  }

  private end(outcome: Outcome): void {
    this.last.set(outcome);
    this.ended.next(outcome);
  }
}
