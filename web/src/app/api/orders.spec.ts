import { HttpErrorResponse, provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { Observable } from 'rxjs';

import { Order, Orders, TaggedOrder } from './orders';
import { Problem } from './problem';
import { Timings } from './timings';

const order: Order = {
  id: 7,
  version: 2,
  status: 'CREATED',
  createdAt: '2026-11-22T10:13:18.044363Z',
  updatedAt: '2026-11-22T10:13:18.044363Z',
  failureReason: null,
  customerId: 'anonymous',
  orderItems: [{ id: 1, productId: '123', quantity: 2 }],
};

describe('Orders', () => {
  let orders: Orders;
  let server: HttpTestingController;

  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    orders = TestBed.inject(Orders);
    server = TestBed.inject(HttpTestingController);
  });

  afterEach(() => server.verify());

  function answered<T>(call: Observable<T>): { values: T[]; errors: unknown[] } {
    const outcome: { values: T[]; errors: unknown[] } = { values: [], errors: [] };
    call.subscribe({ next: (value) => outcome.values.push(value), error: (error) => outcome.errors.push(error) });
    return outcome;
  }

  it('places an order with its key and only its own members', () => {
    const line = { id: 3, productId: '123', quantity: 2 };
    const outcome = answered(orders.place([line], 'key-1'));
    const call = server.expectOne((sent) => sent.method === 'POST' && sent.url.endsWith('/api/orders'));
    expect(call.request.headers.get('Idempotency-Key')).toBe('key-1');
    expect(call.request.body).toEqual({ orderItems: [{ productId: '123', quantity: 2 }] });
    call.flush(order, { status: 201, statusText: 'Created', headers: { ETag: '"2"' } });
    expect(outcome.values).toEqual([{ order, etag: '"2"' }]);
  });

  it('records the timing of a placed order', () => {
    sessionStorage.clear();
    answered(orders.place([{ productId: '123', quantity: 2 }], 'key-1'));
    const headers = { 'Server-Timing': 'stock;dur=4.5, save;dur=3' };
    server.expectOne((sent) => sent.method === 'POST').flush(order, { headers });
    expect(TestBed.inject(Timings).of(7)).toMatchObject({ stockMs: 4.5, saveMs: 3 });
    sessionStorage.clear();
  });

  it('returns an order with its ETag', () => {
    const outcome = answered(orders.get(7));
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).flush(order, { headers: { ETag: '"2"' } });
    expect(outcome.values).toEqual([{ order, etag: '"2"' }]);
  });

  it.each([
    ['a weakened tag', { ETag: 'W/"2"' }],
    ['no tag', {}],
  ])('has the version of an order with %s', (_, headers) => {
    const outcome = answered(orders.get(7));
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).flush(order, { headers });
    expect(outcome.values.map((value: TaggedOrder) => value.etag)).toEqual(['"2"']);
  });

  it('reads a page of one status', () => {
    const outcome = answered(orders.list({ status: 'FAILED' }, 40, 20));
    const call = server.expectOne((sent) => sent.url.endsWith('/orders?status=FAILED&after=40&limit=20'));
    call.flush({ orders: [order], next: null });
    expect(outcome.values).toEqual([{ orders: [order], next: null }]);
  });

  it('reads the newest orders by default', () => {
    answered(orders.list());
    server.expectOne((sent) => sent.url.endsWith('/orders')).flush({ orders: [], next: null });
  });

  it('changes only the given version', () => {
    answered(orders.change(7, [{ productId: '124', quantity: 1 }], '"2"'));
    const call = server.expectOne((sent) => sent.method === 'PUT' && sent.url.endsWith('/orders/7'));
    expect(call.request.headers.get('If-Match')).toBe('"2"');
    expect(call.request.body).toEqual({ orderItems: [{ productId: '124', quantity: 1 }] });
    call.flush(order);
  });

  it('cancels any version, or only the given one', () => {
    answered(orders.cancel(7));
    const any = server.expectOne((sent) => sent.method === 'DELETE' && sent.url.endsWith('/orders/7'));
    expect(any.request.headers.has('If-Match')).toBe(false);
    any.flush(order);
    answered(orders.cancel(7, '"2"'));
    const request = server.expectOne((sent) => sent.method === 'DELETE');
    expect(request.request.headers.get('If-Match')).toBe('"2"');
    request.flush(order);
  });

  it('fails with the members of the problem document', () => {
    const outcome = answered(orders.place([{ productId: 'sold-out', quantity: 1 }], 'key-1'));
    server
      .expectOne((sent) => sent.method === 'POST')
      .flush(
        {
          title: 'Short stock',
          detail: 'There is not enough in stock.',
          traceId: 'abc',
          errors: [{ pointer: '/orderItems/0/quantity', detail: '…', productId: 'sold-out', requested: 1, stock: 0 }],
        },
        { status: 409, statusText: 'Conflict' },
      );
    const [problem] = outcome.errors;
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({
      service: 'order',
      status: 409,
      traceId: 'abc',
      violations: [{ productId: 'sold-out', stock: 0 }],
    });
  });

  it('fails as unreachable without a response', () => {
    const outcome = answered(orders.get(7));
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).error(new ProgressEvent('error'));
    const [problem] = outcome.errors;
    expect(problem).not.toBeInstanceOf(HttpErrorResponse);
    expect((problem as Problem).unreachable).toBe(true);
  });
});
