import { Injectable, computed, inject, signal } from '@angular/core';
import { Observable, Subject } from 'rxjs';

import { Orders } from '../api/orders';
import { Problem } from '../api/problem';
import { BasketStore } from './basket-store';

export type Outcome =
  | { readonly state: 'refused'; readonly key: string; readonly problem: Problem }
  | { readonly state: 'taken'; readonly orderId: number };

export type Attempt = { readonly state: 'none' } | { readonly state: 'placing'; readonly key: string } | Outcome;

/** Orders what is in the basket: one attempt at a time, and each for the same basket with the same key. */
@Injectable({ providedIn: 'root' })
export class Checkout {
  private readonly orders = inject(Orders);
  private readonly store = inject(BasketStore);
  private readonly last = signal<Attempt>({ state: 'none' });
  private readonly ended = new Subject<Outcome>();
  readonly attempt = this.last.asReadonly();
  readonly outcomes: Observable<Outcome> = this.ended.asObservable();
  readonly placing = computed(() => this.last().state === 'placing');
  /** Why the basket that is there now was not taken. */
  readonly refusal = computed(() => {
    const last = this.last();
    return last.state === 'refused' && last.key === this.store.basket().key ? last.problem : null;
  });

  place(): void {
    const { lines, key } = this.store.basket();
    if (this.placing() || lines.length === 0) return;
    this.last.set({ state: 'placing', key });
    // ends with the answer or its time limit, and has to be heard also when another page is looked at by then
    this.orders.place(lines, key).subscribe({
      next: ({ order }) => {
        this.store.change({ type: 'taken', key });
        this.end({ state: 'taken', orderId: order.id });
      },
      error: (error: unknown) => this.end({ state: 'refused', key, problem: Problem.of('order', error) }),
    });
  }

  private end(outcome: Outcome): void {
    this.last.set(outcome);
    this.ended.next(outcome);
  }
}
