import { TestBed } from '@angular/core/testing';

import { signedInAs } from '../sign-in/session.testing';
import { BasketStore, STORAGE_KEY } from './basket-store';
import { randomKey } from './key';

describe('BasketStore', () => {
  beforeEach(() => localStorage.clear());

  const fresh = (): BasketStore => {
    TestBed.resetTestingModule();
    return TestBed.inject(BasketStore);
  };

  it('has the same basket and key after a reload', () => {
    const before = fresh();
    before.change({ type: 'add', productId: '123', quantity: 2 });
    const after = fresh();
    expect(after.basket()).toEqual(before.basket());
    expect(after.productIds()).toEqual(['123']);
  });

  it('starts empty when the stored basket is invalid', () => {
    localStorage.setItem(STORAGE_KEY, '{"lines":[{}]}');
    expect(fresh().basket().lines).toEqual([]);
  });

  it('follows the other tabs', () => {
    const store = fresh();
    const theirs = { lines: [{ productId: 'a', quantity: 1 }], key: randomKey() };
    window.dispatchEvent(new StorageEvent('storage', { key: STORAGE_KEY, newValue: JSON.stringify(theirs) }));
    expect(store.basket()).toEqual(theirs);
    window.dispatchEvent(new StorageEvent('storage', { key: 'something-else', newValue: '1' }));
    expect(store.basket()).toEqual(theirs);
    window.dispatchEvent(new StorageEvent('storage', { key: null, newValue: null }));
    expect(store.basket().lines).toEqual([]);
  });

  it('is one for each person', () => {
    fresh().change({ type: 'add', productId: '123', quantity: 2 });
    TestBed.resetTestingModule();
    TestBed.configureTestingModule({ providers: [signedInAs('customer')] });
    const own = TestBed.inject(BasketStore);
    expect(own.basket().lines).toEqual([]);
    own.change({ type: 'add', productId: 'a', quantity: 1 });
    expect(fresh().productIds()).toEqual(['123']);
  });

  it('generates unique keys that the order service accepts', () => {
    const keys = Array.from({ length: 100 }, randomKey);
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
  });
});
