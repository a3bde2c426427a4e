import { Price } from '../api/generated/inventory';

const number = new Intl.NumberFormat('en');

function money({ minorUnits, currency }: Price): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.format(minorUnits / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 0));
}

const products = (count: number): string => (count === 1 ? '1 product' : `${number.format(count)} products`);

export const shop = {
  nav: 'Shop',
  pageTitle: 'Shop · Orderstream',
  title: 'Shop',
  products: {
    title: 'Products',
    search: 'Find a product',
    /** For screen readers. */
    found: (count: number): string => `${products(count)} found`,
    asOf: (time: string): string => `Live stock, as of ${time}`,
    loading: 'Loading the stock',
    stale: (reason: string, time: string): string => `${reason} Stock as of ${time}.`,
    failed: (status: number): string => `The inventory service answered with an error (${status.toString()}).`,
    none: 'There are no products yet.',
    noneHint: 'Products appear here once they are added to the inventory.',
    noMatch: (text: string): string => `No product has “${text}” in its name or id.`,
    showAll: 'Show all products',
    more: (count: number): string => `Show ${number.format(count)} more`,
    truncated: (count: number): string => `The search covers only the first ${products(count)}.`,
    price: money,
    stock: (count: number): string => number.format(count),
    inStock: 'in stock',
    left: 'left',
    soldOut: 'Sold out',
    inBasket: (count: number): string => `${number.format(count)} in basket`,
    add: 'Add to basket',
    added: (name: string, count: number): string => `${name}: ${number.format(count)} in basket`,
    full: 'The basket has the maximum number of products per order.',
  },
  basket: {
    title: 'Basket',
    go: (count: number): string => (count === 0 ? 'Basket is empty' : `Basket: ${products(count)}`),
    notLasting: 'This browser stores nothing for this page: the basket lasts as long as this tab shows it.',
    empty: 'Your basket is empty.',
    emptyHint: 'Add one or several products and order them together.',
    quantity: (name: string): string => `Quantity of ${name}`,
    less: (name: string): string => `One less of ${name}`,
    more: (name: string): string => `One more of ${name}`,
    remove: 'Remove',
    removeLine: (name: string): string => `Remove ${name}`,
    removed: (name: string): string => `${name} removed from the basket`,
    short: (stock: number): string => `Only ${number.format(stock)} in stock.`,
    soldOut: 'Sold out.',
    unknown: 'This product is no longer sold.',
    take: (stock: number): string => `Take ${number.format(stock)}`,
    takeLine: (stock: number, name: string): string => `Take ${number.format(stock)} of ${name}`,
    pieces: (count: number): string => (count === 1 ? '1 piece' : `${number.format(count)} pieces`),
    summary: (count: number, pieces: string): string => `${products(count)}, ${pieces}`,
  },
  order: {
    place: 'Place order',
    placing: 'Placing order …',
    placed: (orderId: number): string => `Order ${orderId.toString()} is placed.`,
    follow: 'View the order',
    notPlaced: 'The order was not placed.',
    atLines: 'See the marked products.',
    maybePlaced: 'It is unknown whether the order was placed.',
    safe: 'Trying again is safe: a retry never places a second order.',
    serviceError: (service: string): string => `The ${service} had an error.`,
    notStored: 'The order was not placed. Your basket is unchanged.',
  },
} as const;
