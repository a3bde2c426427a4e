import { HttpHeaders, HttpResponse } from '@angular/common/http';
import { TestBed } from '@angular/core/testing';

import { Order } from './orders';
import { Timings, serverTiming } from './timings';

function answer(id: number, headers: Record<string, string>): HttpResponse<Order> {
  const body: Order = {
    id,
    version: 1,
    status: 'CREATED',
    createdAt: '',
    updatedAt: '',
    failureReason: null,
    customerId: 'anonymous',
    orderItems: [],
  };
  return new HttpResponse({ body, headers: new HttpHeaders(headers) });
}

describe('Timings', () => {
  beforeEach(() => sessionStorage.clear());
  afterEach(() => sessionStorage.clear());

  const headers = {
    'Server-Timing': 'stock;dur=4.871, save;dur=3.104',
    traceparent: '00-f59da9332c4c90fd85cd1edf9eb4afbe-00f067aa0ba902b7-01',
  };

  const reloaded = (): Timings => {
    TestBed.resetTestingModule();
    return TestBed.inject(Timings);
  };

  it('keeps a timing after a reload', () => {
    const known = { tookMs: 12.5, stockMs: 4.871, saveMs: 3.104, traceId: 'f59da9332c4c90fd85cd1edf9eb4afbe' };
    TestBed.inject(Timings).remember(answer(7, headers), 12.5);
    expect(TestBed.inject(Timings).of(7)).toEqual(known);
    expect(reloaded().of(7)).toEqual(known);
    expect(reloaded().of(8)).toBeNull();
  });

  it('ignores a replayed response', () => {
    const timings = TestBed.inject(Timings);
    timings.remember(answer(7, { ...headers, 'Idempotent-Replayed': 'true' }), 12.5);
    expect(timings.of(7)).toBeNull();
  });

  it('accepts missing parts', () => {
    const timings = TestBed.inject(Timings);
    timings.remember(answer(7, {}), 12.5);
    expect(timings.of(7)).toEqual({ tookMs: 12.5, stockMs: null, saveMs: null, traceId: null });
  });

  it('evicts the oldest', () => {
    const timings = TestBed.inject(Timings);
    for (let id = 1; id <= 51; id += 1) timings.remember(answer(id, headers), 1);
    expect([timings.of(1), timings.of(2)]).toEqual([null, timings.of(51)]);
  });

  it.each(['no JSON', '{}', 'null'])('starts empty after %s', (left) => {
    sessionStorage.setItem('orderstream.timings', left);
    expect(reloaded().of(7)).toBeNull();
  });
});

describe('serverTiming', () => {
  it.each([
    ['', []],
    ['stock;dur=1', [['stock', 1]]],
    ['a;desc="x";dur="2.5" , miss, b;dur=no', [['a', 2.5]]],
  ])('reads %s', (header, expected) => {
    expect([...serverTiming(header)]).toEqual(expected);
  });
});
