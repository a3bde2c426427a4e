import { Product } from '../api/inventory';

/** A product as it is shown, with what its last change made of its stock. */
export interface Listed extends Product {
  readonly changedBy: number;
}

/** Products by id; *complete* when there are no others. */
export interface Catalogue {
  readonly products: readonly Listed[];
  readonly complete: boolean;
}

/** The catalogue after all of it was read again. */
export function replaced(known: Catalogue | null, products: readonly Product[], complete: boolean): Catalogue {
  const before = byId(known?.products ?? []);
  return { products: products.map((product) => listed(before.get(product.productId), product)), complete };
}

/** The catalogue after some products were asked for; one that was not found is gone. */
export function updated(known: Catalogue, asked: readonly string[], found: readonly Product[]): Catalogue {
  const now = byId(found);
  const gone = new Set(asked.filter((productId) => !now.has(productId)));
  return {
    ...known,
    products: known.products
      .filter((product) => !gone.has(product.productId))
      .map((product) => listed(product, now.get(product.productId) ?? product)),
  };
}

/** The products whose id has *text* in it. */
export function matching(catalogue: Catalogue, text: string): readonly Listed[] {
  const wanted = text.trim().toLowerCase();
  return catalogue.products.filter((product) => product.productId.toLowerCase().includes(wanted));
}

/** What is there of a product; null when it is not sold, undefined when that can't be said. */
export function stockOf(catalogue: Catalogue | null, productId: string): number | null | undefined {
  if (catalogue === null) return undefined;
  const product = catalogue.products.find((each) => each.productId === productId);
  return product?.stock ?? (catalogue.complete ? null : undefined);
}

function listed(before: Listed | undefined, now: Product): Listed {
  if (before === undefined) return { ...now, changedBy: 0 };
  return before.version === now.version && before.stock === now.stock
    ? before
    : { ...now, changedBy: now.stock - before.stock };
}

function byId<T extends Product>(products: readonly T[]): ReadonlyMap<string, T> {
  return new Map(products.map((product) => [product.productId, product]));
}
