import { TestBed } from '@angular/core/testing';

import { BasketStore, STORED_AS } from './basket-store';
import { randomKey } from './key';

describe('BasketStore', () => {
  beforeEach(() => localStorage.clear());

  const fresh = (): BasketStore => {
    TestBed.resetTestingModule();
    return TestBed.inject(BasketStore);
  };

  it('has the same basket, key and all, after a reload', () => {
    const before = fresh();
    before.change({ type: 'add', productId: '123', quantity: 2 });
    const after = fresh();
    expect(after.basket()).toEqual(before.basket());
    expect(after.productIds()).toEqual(['123']);
  });

  it('begins empty when what was stored is no basket', () => {
    localStorage.setItem(STORED_AS, '{"lines":[{}]}');
    expect(fresh().basket().lines).toEqual([]);
  });

  it('follows the other tabs', () => {
    const store = fresh();
    const theirs = { lines: [{ productId: 'a', quantity: 1 }], key: randomKey() };
    window.dispatchEvent(new StorageEvent('storage', { key: STORED_AS, newValue: JSON.stringify(theirs) }));
    expect(store.basket()).toEqual(theirs);
    window.dispatchEvent(new StorageEvent('storage', { key: 'something-else', newValue: '1' }));
    expect(store.basket()).toEqual(theirs);
    window.dispatchEvent(new StorageEvent('storage', { key: null, newValue: null }));
    expect(store.basket().lines).toEqual([]);
  });

  it('makes keys that the order service takes, each once', () => {
    const keys = Array.from({ length: 100 }, randomKey);
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
  });
});
