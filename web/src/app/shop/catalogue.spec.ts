import { Product } from '../api/inventory';
import { Catalogue, matching, replaced, stockOf, updated } from './catalogue';

const product = (productId: string, stock: number, version = 1): Product => ({
  productId,
  stock,
  version,
  lastUpdate: '2026-11-22T10:13:18.044363Z',
});

describe('the catalogue', () => {
  const first = replaced(null, [product('a', 5), product('b', 0)], true);
  const stocks = (catalogue: Catalogue): [string, number, number][] =>
    catalogue.products.map((each) => [each.productId, each.stock, each.changedBy]);

  it('shows no change when it is read for the first time', () => {
    expect(stocks(first)).toEqual([
      ['a', 5, 0],
      ['b', 0, 0],
    ]);
  });

  it('says by how much each stock changed', () => {
    expect(stocks(replaced(first, [product('a', 3, 2), product('b', 7, 2)], true))).toEqual([
      ['a', 3, -2],
      ['b', 7, 7],
    ]);
  });

  it('keeps what did not change as it is', () => {
    expect(replaced(first, [product('a', 5), product('b', 1, 2)], true).products[0]).toBe(first.products[0]);
  });

  it('believes the service when versions go back, as they do with a restored database', () => {
    const later = replaced(null, [product('a', 2, 9)], true);
    expect(stocks(replaced(later, [product('a', 5, 1)], true))).toEqual([['a', 5, 3]]);
  });

  it('loses what is gone and gains what is new when all is read', () => {
    expect(stocks(replaced(first, [product('b', 0), product('c', 1)], true)).map(([id]) => id)).toEqual(['b', 'c']);
  });

  it('touches only what was asked for', () => {
    const next = updated(first, ['b', 'c'], [product('b', 4, 2)]);
    expect(stocks(next)).toEqual([
      ['a', 5, 0],
      ['b', 4, 4],
    ]);
    expect(next.complete).toBe(true);
  });

  it('loses what was asked for and not found', () => {
    expect(stocks(updated(first, ['a'], [])).map(([id]) => id)).toEqual(['b']);
  });

  it.each([
    ['', ['Coffee-Mug', 'coffee-beans', 'lamp']],
    ['  COFFEE ', ['Coffee-Mug', 'coffee-beans']],
    ['mp', ['lamp']],
    ['.*', []],
  ])('finds by a part of the id: “%s”', (text, ids) => {
    const all = replaced(null, [product('Coffee-Mug', 1), product('coffee-beans', 1), product('lamp', 1)], true);
    expect(matching(all, text).map((each) => each.productId)).toEqual(ids);
  });

  it('tells what is not sold from what is not known', () => {
    expect(stockOf(first, 'a')).toBe(5);
    expect(stockOf(first, 'b')).toBe(0);
    expect(stockOf(first, 'z')).toBeNull();
    expect(stockOf({ ...first, complete: false }, 'z')).toBeUndefined();
    expect(stockOf(null, 'a')).toBeUndefined();
  });
});
