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

  it('has no changes after the first read', () => {
    expect(stocks(first)).toEqual([
      ['a', 5, 0],
      ['b', 0, 0],
    ]);
  });

  it('has the change of each stock', () => {
    expect(stocks(replaced(first, [product('a', 3, 2), product('b', 7, 2)], true))).toEqual([
      ['a', 3, -2],
      ['b', 7, 7],
    ]);
  });

  it('keeps unchanged products identical', () => {
    expect(replaced(first, [product('a', 5), product('b', 1, 2)], true).products[0]).toBe(first.products[0]);
  });

  it('accepts lower versions, as after a restore', () => {
    const later = replaced(null, [product('a', 2, 9)], true);
    expect(stocks(replaced(later, [product('a', 5, 1)], true))).toEqual([['a', 5, 3]]);
  });

  it('removes and adds products after a full read', () => {
    expect(stocks(replaced(first, [product('b', 0), product('c', 1)], true)).map(([id]) => id)).toEqual(['b', 'c']);
  });

  it('updates only the requested products', () => {
    const next = updated(first, ['b', 'c'], [product('b', 4, 2)]);
    expect(stocks(next)).toEqual([
      ['a', 5, 0],
      ['b', 4, 4],
    ]);
    expect(next.complete).toBe(true);
  });

  it('removes requested products that were not found', () => {
    expect(stocks(updated(first, ['a'], [])).map(([id]) => id)).toEqual(['b']);
  });

  it.each([
    ['', ['Coffee-Mug', 'coffee-beans', 'lamp']],
    ['  COFFEE ', ['Coffee-Mug', 'coffee-beans']],
    ['mp', ['lamp']],
    ['.*', []],
    ['light', ['lamp']],
  ])('finds by a part of the id or the name: “%s”', (text, ids) => {
    const all = replaced(null, [product('Coffee-Mug', 1), product('coffee-beans', 1), product('lamp', 1)], true);
    expect(matching(all, text, (id) => (id === 'lamp' ? 'Desk light' : id)).map((each) => each.productId)).toEqual(ids);
  });

  it('distinguishes missing from unknown products', () => {
    expect(stockOf(first, 'a')).toBe(5);
    expect(stockOf(first, 'b')).toBe(0);
    expect(stockOf(first, 'z')).toBeNull();
    expect(stockOf({ ...first, complete: false }, 'z')).toBeUndefined();
    expect(stockOf(null, 'a')).toBeUndefined();
  });
});
