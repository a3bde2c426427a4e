import { ChangeDetectionStrategy, Component, computed, inject, viewChild } from '@angular/core';

import { Session } from '../sign-in/session';
import { texts } from '../texts';
import { Assortment } from './assortment';
import { BasketPanel } from './basket-panel';
import { BasketStore } from './basket-store';
import { ProductList } from './product-list';
import { Stock } from './stock';

/** The products and the basket. */
@Component({
  selector: 'app-shop-page',
  imports: [BasketPanel, ProductList],
  providers: [Assortment, Stock],
  templateUrl: './shop-page.html',
  styleUrl: './shop-page.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ShopPage {
  private readonly store = inject(BasketStore);
  protected readonly may = inject(Session).may;
  protected readonly texts = texts.shop;
  protected readonly panel = viewChild(BasketPanel);
  protected readonly products = computed(() => this.store.basket().lines.length);
}
