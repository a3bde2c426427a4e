import { Price } from '../api/generated/inventory';
import { locale } from './language';

const number = new Intl.NumberFormat(locale);

function money({ minorUnits, currency }: Price): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  return format.format(minorUnits / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 0));
}

const products = (count: number): string =>
  count === 1 ? $localize`1 product` : $localize`${number.format(count)}:count: products`;

export const shop = {
  nav: $localize`Shop`,
  pageTitle: $localize`Shop · Orderstream`,
  title: $localize`Shop`,
  products: {
    title: $localize`Products`,
    search: $localize`Find a product`,
    /** For screen readers. */
    found: (count: number): string => $localize`${products(count)}:count: found`,
    loading: $localize`Loading the stock`,
    failed: (status: number): string =>
      $localize`The inventory service answered with an error (${status.toString()}:status:).`,
    none: $localize`There are no products yet.`,
    noneHint: $localize`Products appear here once they are added to the inventory.`,
    noMatch: (text: string): string => $localize`No product has “${text}:text:” in its name or id.`,
    showAll: $localize`Show all products`,
    more: (count: number): string => $localize`Show ${number.format(count)}:count: more`,
    truncated: (count: number): string => $localize`The search covers only the first ${products(count)}:count:.`,
    price: money,
    stock: (count: number): string => number.format(count),
    inStock: $localize`in stock`,
    left: $localize`left`,
    soldOut: $localize`Sold out`,
    inBasket: (count: number): string => $localize`${number.format(count)}:count: in basket`,
    add: $localize`Add to basket`,
    added: (name: string, count: number): string => $localize`${name}:name:: ${number.format(count)}:count: in basket`,
    full: $localize`The basket has the maximum number of products per order.`,
  },
  basket: {
    title: $localize`Basket`,
    go: (count: number): string =>
      count === 0 ? $localize`Basket is empty` : $localize`Basket: ${products(count)}:count:`,
    notLasting: $localize`This browser stores nothing for this page: the basket lasts as long as this tab shows it.`,
    empty: $localize`Your basket is empty.`,
    emptyHint: $localize`Add one or several products and order them together.`,
    quantity: (name: string): string => $localize`Quantity of ${name}:name:`,
    less: (name: string): string => $localize`One less of ${name}:name:`,
    more: (name: string): string => $localize`One more of ${name}:name:`,
    remove: $localize`Remove`,
    removeLine: (name: string): string => $localize`Remove ${name}:name:`,
    removed: (name: string): string => $localize`${name}:name: removed from the basket`,
    short: (stock: number): string => $localize`Only ${number.format(stock)}:stock: in stock.`,
    soldOut: $localize`Sold out.`,
    unknown: $localize`This product is no longer sold.`,
    take: (stock: number): string => $localize`Take ${number.format(stock)}:stock:`,
    takeLine: (stock: number, name: string): string => $localize`Take ${number.format(stock)}:stock: of ${name}:name:`,
    pieces: (count: number): string =>
      count === 1 ? $localize`1 piece` : $localize`${number.format(count)}:count: pieces`,
    summary: (count: number, pieces: string): string => `${products(count)}, ${pieces}`,
  },
  order: {
    place: $localize`Place order`,
    placing: $localize`Placing order …`,
    placed: (orderId: number): string => $localize`Order ${orderId.toString()}:orderId: is placed.`,
    follow: $localize`View the order`,
    notPlaced: $localize`The order was not placed.`,
    atLines: $localize`See the marked products.`,
    maybePlaced: $localize`It is unknown whether the order was placed.`,
    safe: $localize`Trying again is safe: a retry never places a second order.`,
    serviceError: (service: string): string => $localize`The ${service}:service: had an error.`,
    notStored: $localize`The order was not placed. Your basket is unchanged.`,
  },
} as const;
