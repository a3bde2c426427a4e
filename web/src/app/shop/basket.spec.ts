import { MAX_LINES, MAX_QUANTITY } from '../api/orders';
import { Basket, Change, changed, emptyBasket, isFull, quantityOf, read } from './basket';

describe('the basket', () => {
  let made: number;
  const newKey = (): string => `key-${(++made).toString().padStart(16, '0')}`;

  beforeEach(() => (made = 0));

  function after(...changes: Change[]): Basket {
    return changes.reduce((basket, change) => changed(basket, change, newKey), emptyBasket(newKey));
  }

  const add = (productId: string, quantity = 1): Change => ({ type: 'add', productId, quantity });
  const set = (productId: string, quantity: number): Change => ({ type: 'set', productId, quantity });

  it('keeps products in order of addition', () => {
    expect(after(add('b'), add('a', 3)).lines).toEqual([
      { productId: 'b', quantity: 1 },
      { productId: 'a', quantity: 3 },
    ]);
  });

  it('adds to an existing line', () => {
    expect(after(add('a'), add('b'), add('a', 2)).lines).toEqual([
      { productId: 'a', quantity: 3 },
      { productId: 'b', quantity: 1 },
    ]);
  });

  it('sets and removes a line', () => {
    const basket = after(add('a'), add('b'), set('a', 9), { type: 'remove', productId: 'b' });
    expect(basket.lines).toEqual([{ productId: 'a', quantity: 9 }]);
    expect(quantityOf(basket, 'a')).toBe(9);
    expect(quantityOf(basket, 'b')).toBe(0);
  });

  it.each([
    [0, 1],
    [-5, 1],
    [2.9, 2],
    [MAX_QUANTITY + 1, MAX_QUANTITY],
  ])('clamps a quantity of %d', (asked, got) => {
    expect(quantityOf(after(add('a'), set('a', asked)), 'a')).toBe(got);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('keeps a line when the quantity is %d', (asked) => {
    expect(quantityOf(after(add('a', 4), set('a', asked)), 'a')).toBe(4);
  });

  it('limits the number of lines', () => {
    const all = Array.from({ length: MAX_LINES + 1 }, (_, at) => add(`p${at.toString()}`));
    const basket = after(...all);
    expect(basket.lines).toHaveLength(MAX_LINES);
    expect(isFull(basket)).toBe(true);
    expect(changed(basket, add('p0'), newKey)).not.toBe(basket);
  });

  it('has a new key after each change', () => {
    const keys = new Set<string>();
    let basket = emptyBasket(newKey);
    keys.add(basket.key);
    for (const change of [add('a'), add('a'), set('a', 1), add('b'), { type: 'remove', productId: 'b' } as const]) {
      basket = changed(basket, change, newKey);
      keys.add(basket.key);
    }
    expect(keys.size).toBe(6);
  });

  it.each([
    ['the quantity that it has', set('a', 1)],
    ['no number', set('a', Number.NaN)],
    ['the removal of what is not in it', { type: 'remove', productId: 'z' } as const],
    ['an order of another basket', { type: 'placed', key: 'other' } as const],
  ])('is unchanged, with its key, after %s', (_, change) => {
    const basket = after(add('a'));
    expect(changed(basket, change, newKey)).toBe(basket);
  });

  it('is empty, with a new key, once it was ordered', () => {
    const basket = after(add('a'));
    const next = changed(basket, { type: 'placed', key: basket.key }, newKey);
    expect(next.lines).toEqual([]);
    expect(next.key).not.toBe(basket.key);
  });

  it('is parsed as stored', () => {
    const basket = after(add('a', 2), add('coffee-beans.v_1'));
    expect(read(JSON.stringify(basket))).toEqual(basket);
  });

  it.each([
    null,
    '',
    '{',
    'null',
    '[]',
    '7',
    '{"lines":[]}',
    '{"lines":[],"key":"with a line\\nbreak, and long"}',
    '{"lines":{},"key":"0123456789abcdef"}',
    '{"lines":[null],"key":"0123456789abcdef"}',
    '{"lines":[{"productId":"a","quantity":0}],"key":"0123456789abcdef"}',
    '{"lines":[{"productId":"a","quantity":"1"}],"key":"0123456789abcdef"}',
    '{"lines":[{"productId":"a","quantity":1000001}],"key":"0123456789abcdef"}',
    '{"lines":[{"productId":"<b>","quantity":1}],"key":"0123456789abcdef"}',
    '{"lines":[{"productId":"a","quantity":1},{"productId":"a","quantity":2}],"key":"0123456789abcdef"}',
  ])('is not parsed from %s', (text) => {
    expect(read(text)).toBeNull();
  });
});
