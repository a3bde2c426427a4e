import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';

import { explanation, isRefused } from '../api/explanation';
import { AsOf } from '../design/as-of';
import { Notice } from '../design/notice';
import { Session } from '../sign-in/session';
import { texts } from '../texts';
import { Assortment } from './assortment';
import { isFull, quantityOf } from './basket';
import { BasketStore } from './basket-store';
import { matching } from './catalogue';
import { Checkout } from './checkout';
import { ProductPicture } from './product-picture';
import { Stock } from './stock';
import { TraceId } from './trace-id';

const PAGE_SIZE = 60;
/** Stock below this is low. */
const LOW_STOCK = 10;

/** The products with their prices and live stock. */
@Component({
  selector: 'app-product-list',
  imports: [AsOf, Notice, ProductPicture, TraceId],
  templateUrl: './product-list.html',
  styleUrl: './product-list.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ProductList {
  protected readonly stock = inject(Stock);
  protected readonly assortment = inject(Assortment);
  private readonly store = inject(BasketStore);
  private readonly checkout = inject(Checkout);
  private readonly limit = signal(PAGE_SIZE);

  protected readonly may = inject(Session).may;
  protected readonly texts = texts.shop.products;
  protected readonly few = LOW_STOCK;
  protected readonly placeholders = Array.from({ length: 12 }, (_, index) => index);
  protected readonly wanted = signal('');
  protected readonly announcement = signal('');
  protected readonly found = computed(() => {
    const catalogue = this.stock.catalogue();
    if (catalogue === null || !this.assortment.settled()) return null;
    return matching(catalogue, this.wanted(), (productId) => this.assortment.name(productId));
  });
  protected readonly shown = computed(() => this.found()?.slice(0, this.limit()) ?? []);
  protected readonly hidden = computed(() => (this.found()?.length ?? 0) - this.shown().length);
  protected readonly locked = computed(() => this.checkout.placing());
  protected readonly full = computed(() => isFull(this.store.basket()));
  protected readonly failure = computed(() => {
    const problem = this.stock.problem();
    if (problem === null) return null;
    return problem.unreachable || isRefused(problem) ? explanation(problem) : this.texts.failed(problem.status);
  });
  protected readonly detail = computed(() => this.stock.problem()?.detail ?? '');
  protected readonly traceId = computed(() => this.stock.problem()?.traceId ?? null);
  protected readonly truncatedAt = computed(() => {
    const catalogue = this.stock.catalogue();
    return catalogue === null || catalogue.complete ? null : catalogue.products.length;
  });
  protected readonly retryText = texts.common.retry;

  constructor() {
    this.stock.follow(computed(() => this.shown().map((product) => product.productId)));
  }

  protected tryAgain(heading: HTMLElement): void {
    // the pressed button is removed
    heading.focus({ preventScroll: true });
    this.stock.tryAgain();
  }

  protected find(text: string): void {
    this.wanted.set(text);
    this.limit.set(PAGE_SIZE);
    this.announcement.set(this.texts.found(this.found()?.length ?? 0));
  }

  protected showMore(): void {
    this.limit.update((limit) => limit + PAGE_SIZE);
  }

  protected inBasket(productId: string): number {
    return quantityOf(this.store.basket(), productId);
  }

  protected add(productId: string): void {
    this.store.change({ type: 'add', productId, quantity: 1 });
    this.announcement.set(this.texts.added(this.assortment.name(productId), this.inBasket(productId)));
  }
}
