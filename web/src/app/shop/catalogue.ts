import { Product } from '../api/inventory';

/** A product with the last change of its stock. */
export interface ListedProduct extends Product {
  readonly changedBy: number;
}

/** Products by id; *complete* when all of them were read. */
export interface Catalogue {
  readonly products: readonly ListedProduct[];
  readonly complete: boolean;
}

/** The catalogue after all products were read again. */
export function replaced(known: Catalogue | null, products: readonly Product[], complete: boolean): Catalogue {
  const before = byId(known?.products ?? []);
  return { products: products.map((product) => withChange(before.get(product.productId), product)), complete };
}

/** The catalogue after some products were read; those that were not found are removed. */
export function updated(known: Catalogue, asked: readonly string[], found: readonly Product[]): Catalogue {
  const now = byId(found);
  const gone = new Set(asked.filter((productId) => !now.has(productId)));
  return {
    ...known,
    products: known.products
      .filter((product) => !gone.has(product.productId))
      .map((product) => withChange(product, now.get(product.productId) ?? product)),
  };
}

/** The products whose id or name contains *text*. */
export function matching(
  catalogue: Catalogue,
  text: string,
  name: (productId: string) => string,
): readonly ListedProduct[] {
  const wanted = text.trim().toLowerCase();
  return catalogue.products.filter(({ productId }) =>
    [productId, name(productId)].some((each) => each.toLowerCase().includes(wanted)),
  );
}

/** The stock of a product; null when it does not exist, undefined when unknown. */
export function stockOf(catalogue: Catalogue | null, productId: string): number | null | undefined {
  if (catalogue === null) return undefined;
  const product = catalogue.products.find((each) => each.productId === productId);
  return product?.stock ?? (catalogue.complete ? null : undefined);
}

function withChange(before: ListedProduct | undefined, now: Product): ListedProduct {
  if (before === undefined) return { ...now, changedBy: 0 };
  return before.version === now.version && before.stock === now.stock
    ? before
    : { ...now, changedBy: now.stock - before.stock };
}

function byId<T extends Product>(products: readonly T[]): ReadonlyMap<string, T> {
  return new Map(products.map((product) => [product.productId, product]));
}
