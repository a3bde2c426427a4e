import { httpResource } from '@angular/common/http';
import { Injectable, computed, effect, inject, linkedSignal, signal, untracked } from '@angular/core';

import { Description, DescriptionPage, Inventory } from '../api/inventory';
import { Stock } from './stock';

type Descriptions = ReadonlyMap<string, Description>;

/** Names, prices and pictures of the products: a product without them is known by its id. */
@Injectable()
export class Assortment {
  private readonly inventory = inject(Inventory);
  private readonly stock = inject(Stock);
  private readonly after = signal<string | null>(null);
  private readonly answer = httpResource<DescriptionPage>(() => this.inventory.descriptions(this.after()));
  private readonly page = computed(() => (this.answer.hasValue() ? this.answer.value() : undefined));
  private readonly known = linkedSignal<DescriptionPage | undefined, Descriptions>({
    source: this.page,
    computation: (page, before) =>
      new Map([...(before?.value ?? []), ...(page?.products ?? []).map((each) => [each.productId, each] as const)]),
  });

  /** Whether there was an answer for all products, or a failure: until then names would replace ids. */
  readonly settled = linkedSignal<boolean, boolean>({
    source: () => this.answer.status() === 'error' || this.page()?.next === null,
    computation: (now, before) => now || (before?.value ?? false),
  }).asReadonly();

  constructor() {
    effect(() => {
      this.known();
      const next = this.page()?.next ?? null;
      if (next !== null) this.after.set(next);
    });
    // a failed read is repeated when the stock was read
    effect(() => {
      this.stock.readAt();
      if (untracked(this.answer.status) === 'error') this.answer.reload();
    });
  }

  /** What the shop shows of a product; undefined when that is its id. */
  of(productId: string): Description | undefined {
    return this.known().get(productId);
  }

  name(productId: string): string {
    return this.of(productId)?.name ?? productId;
  }

  /** The price of so many of each product; undefined when one has none, or they differ in currency. */
  total(lines: readonly { readonly productId: string; readonly quantity: number }[]): Description['price'] | undefined {
    const prices = lines.map(({ productId, quantity }) => ({ price: this.of(productId)?.price, quantity }));
    const currency = prices[0]?.price?.currency;
    let minorUnits = 0;
    for (const { price, quantity } of prices) {
      if (price === undefined || price.currency !== currency) return undefined;
      minorUnits += price.minorUnits * quantity;
    }
    return currency === undefined ? undefined : { minorUnits, currency };
  }
}
