import {
  ChangeDetectionStrategy,
  Component,
  DestroyRef,
  ElementRef,
  Injector,
  afterNextRender,
  computed,
  inject,
  signal,
  viewChild,
} from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { Router, RouterLink } from '@angular/router';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { Assortment } from './assortment';
import { BasketStore } from './basket-store';
import { Checkout } from './checkout';
import { notesOn } from './line-notes';
import { OrderRefusal } from './order-refusal';
import { QuantityStepper } from './quantity-stepper';
import { Stock } from './stock';

/** The lines of the basket with their problems, and the order button. */
@Component({
  selector: 'app-basket-panel',
  imports: [Notice, OrderRefusal, QuantityStepper, RouterLink],
  templateUrl: './basket-panel.html',
  styleUrl: './basket-panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class BasketPanel {
  private readonly store = inject(BasketStore);
  private readonly stock = inject(Stock);
  protected readonly assortment = inject(Assortment);
  private readonly router = inject(Router);
  private readonly injector = inject(Injector);
  private readonly heading = viewChild.required<ElementRef<HTMLElement>>('heading');
  private readonly button = viewChild<ElementRef<HTMLElement>>('order');
  protected readonly checkout = inject(Checkout);
  protected readonly texts = texts.shop.basket;
  protected readonly productTexts = texts.shop.products;
  protected readonly orderTexts = texts.shop.order;
  protected readonly announcement = signal('');
  protected readonly lines = computed(() => this.store.basket().lines);
  protected readonly lasting = this.store.lasting;
  protected readonly notes = computed(() => notesOn(this.lines(), this.stock.catalogue(), this.checkout.refusal()));
  protected readonly placedOrder = computed(() => {
    const attempt = this.checkout.attempt();
    return attempt.state === 'placed' && this.lines().length === 0 ? attempt.orderId : null;
  });
  protected readonly summary = computed(() => {
    const pieces = this.lines().reduce((sum, line) => sum + line.quantity, 0);
    return this.texts.summary(this.lines().length, this.texts.pieces(pieces));
  });
  protected readonly total = computed(() => this.assortment.total(this.lines()));

  constructor() {
    inject(DestroyRef).onDestroy(() => this.checkout.dismiss());
    this.stock.follow(this.store.productIds);
    this.checkout.outcomes.pipe(takeUntilDestroyed()).subscribe((outcome) => {
      if (outcome.state === 'placed') void this.router.navigate(['/orders', outcome.orderId]);
      else this.afterRefusal();
    });
  }

  /** Moves the focus to the basket and scrolls to it. */
  show(): void {
    const heading = this.heading().nativeElement;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView();
  }

  protected set(productId: string, quantity: number): void {
    this.store.change({ type: 'set', productId, quantity });
  }

  protected remove(productId: string): void {
    this.store.change({ type: 'remove', productId });
    this.announcement.set(this.texts.removed(this.assortment.name(productId)));
    // the pressed button is removed
    this.heading().nativeElement.focus({ preventScroll: true });
  }

  protected place(): void {
    this.checkout.place();
  }

  private afterRefusal(): void {
    this.stock.refresh();
    // the button lost the focus when it was disabled
    afterNextRender(() => this.button()?.nativeElement.focus({ preventScroll: true }), { injector: this.injector });
  }
}
