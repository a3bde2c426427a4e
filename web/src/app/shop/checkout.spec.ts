import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { BasketStore } from './basket-store';
import { Checkout, Outcome } from './checkout';

describe('Checkout', () => {
  let checkout: Checkout;
  let store: BasketStore;
  let server: HttpTestingController;
  let outcomes: Outcome[];

  beforeEach(() => {
    localStorage.clear();
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    checkout = TestBed.inject(Checkout);
    store = TestBed.inject(BasketStore);
    server = TestBed.inject(HttpTestingController);
    outcomes = [];
    checkout.outcomes.subscribe((outcome) => outcomes.push(outcome));
    store.change({ type: 'add', productId: '123', quantity: 2 });
  });

  afterEach(() => server.verify());

  const sent = (): TestRequest => server.expectOne((request) => request.method === 'POST');
  const keyOf = (call: TestRequest): string | null => call.request.headers.get('Idempotency-Key');
  const order = { id: 7, version: 1, orderItems: [] };

  it('places one order at a double click', () => {
    checkout.place();
    checkout.place();
    expect(checkout.placing()).toBe(true);
    sent().flush(order, { status: 201, statusText: 'Created' });
    expect(outcomes).toEqual([{ state: 'placed', orderId: 7 }]);
  });

  it('empties the basket when the order is placed, with a new key', () => {
    const key = store.basket().key;
    checkout.place();
    const call = sent();
    expect(keyOf(call)).toBe(key);
    expect(call.request.body).toEqual({ orderItems: [{ productId: '123', quantity: 2 }] });
    call.flush(order, { status: 201, statusText: 'Created' });
    expect(store.basket().lines).toEqual([]);
    expect(store.basket().key).not.toBe(key);
    expect(checkout.attempt()).toEqual({ state: 'placed', orderId: 7 });
  });

  it('reuses the key after a network failure', () => {
    checkout.place();
    const first = sent();
    first.error(new ProgressEvent('error'));
    expect(checkout.refusal()?.status).toBe(0);
    checkout.place();
    const second = sent();
    expect(keyOf(second)).toBe(keyOf(first));
    second.flush(order, { status: 201, statusText: 'Created' });
    expect(outcomes.map((outcome) => outcome.state)).toEqual(['refused', 'placed']);
  });

  it('sends a new key after a change of the basket, and clears the refusal', () => {
    checkout.place();
    const first = sent();
    first.flush({ detail: 'short', errors: [] }, { status: 409, statusText: 'Conflict' });
    expect(checkout.refusal()?.status).toBe(409);
    store.change({ type: 'set', productId: '123', quantity: 1 });
    expect(checkout.refusal()).toBeNull();
    checkout.place();
    const second = sent();
    expect(keyOf(second)).not.toBe(keyOf(first));
    second.flush(order, { status: 201, statusText: 'Created' });
  });

  it('keeps a basket that another tab has changed', () => {
    checkout.place();
    store.change({ type: 'add', productId: '124', quantity: 1 });
    sent().flush(order, { status: 201, statusText: 'Created' });
    expect(store.productIds()).toEqual(['123', '124']);
  });

  it('sends no request with an empty basket', () => {
    store.change({ type: 'remove', productId: '123' });
    checkout.place();
    expect(checkout.placing()).toBe(false);
  });

  it('ends after an invalid response too', () => {
    checkout.place();
    sent().flush(null, { status: 201, statusText: 'Created' });
    expect(checkout.placing()).toBe(false);
    expect(checkout.refusal()?.status).toBe(0);
  });
});
