import { Order, OrderPage } from '../api/orders';
import { notification, order } from './facts.testing';
import { Listing, firstPage, withOlder, refreshed, withNotification, withReread } from './listing';

function ids(listing: Listing): number[] {
  return listing.rows.map((each) => each.id);
}

function page(numbers: readonly number[], next: number | null = null): OrderPage {
  return { orders: numbers.map((id) => order({ id })), next };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: from - to + 1 }, (_, index) => from - index);
}

const first = firstPage(page([9, 8, 7], 7));

describe('the listing of orders', () => {
  it('appends older orders without duplicates', () => {
    const both = withOlder(first, page([7, 6, 5], 5));
    expect([ids(both), both.next]).toEqual([[9, 8, 7, 6, 5], 5]);
    const all = withOlder(both, page([4]));
    expect([ids(all), all.next]).toEqual([[9, 8, 7, 6, 5, 4], null]);
  });

  it('shows new orders on top and keeps the older pages', () => {
    const both = withOlder(first, page([6, 5], 5));
    const next = refreshed(both, page([10, 9, 8], 8), true, 6);
    expect([ids(next), next.next, next.fresh]).toEqual([[10, 9, 8, 7, 6, 5], 5, 0]);
  });

  it('is bounded', () => {
    const next = refreshed(first, page([11, 10, 9], 9), true, 3);
    expect([ids(next), next.next]).toEqual([[11, 10, 9], 9]);
    const twice = refreshed(withOlder(first, page([6, 5, 4], 4)), page([11, 10, 9], 9), true, 6);
    expect([ids(twice), twice.next]).toEqual([[11, 10, 9, 8, 7, 6], 6]);
  });

  it('starts again instead of leaving a gap', () => {
    const next = refreshed(first, page([30, 29, 28], 28), true, 50);
    expect([ids(next), next.next]).toEqual([[30, 29, 28], 28]);
  });

  it('counts new orders that are not shown', () => {
    const next = refreshed(first, page([11, 10, 9], 9), false, 3);
    expect([ids(next), next.fresh, next.freshMore]).toEqual([[9, 8, 7], 2, false]);
    const many = refreshed(first, page(range(80, 31), 31), false, 50);
    expect([ids(many), many.fresh, many.freshMore]).toEqual([[9, 8, 7], 50, true]);
  });

  it('updates the shown orders', () => {
    const closed: Order = order({ id: 8, status: 'CLOSED' });
    const next = refreshed(first, { orders: [order({ id: 9 }), closed, order({ id: 7 })], next: 7 }, false, 50);
    expect(next.rows[1]).toEqual(closed);
  });

  it('removes orders that no longer match', () => {
    expect(ids(refreshed(first, page([9, 7, 6], 6), false, 50))).toEqual([9, 7, 6]);
    expect(ids(refreshed(first, page([]), true, 50))).toEqual([]);
    expect(ids(refreshed(firstPage(page([])), page([1]), false, 50))).toEqual([1]);
  });

  it('updates a status from a push', () => {
    const push = notification('FAILED', 50, undefined, { orderId: 8, reason: 'Gone.' });
    const next = withNotification(first, push, null);
    expect(next.rows[1]).toMatchObject({ id: 8, status: 'FAILED', failureReason: 'Gone.', updatedAt: push.occurredAt });
    expect(ids(withNotification(first, push, 'CREATED'))).toEqual([9, 7]);
    expect(ids(withNotification(first, push, 'FAILED'))).toEqual([9, 8, 7]);
  });

  it('ignores pushes about other or ended orders', () => {
    expect(withNotification(first, notification('CLOSED', 50, undefined, { orderId: 1 }), null)).toBe(first);
    expect(withNotification(first, notification('CREATED', 50, undefined, { orderId: 8 }), null)).toBe(first);
    const ended = firstPage({ orders: [order({ id: 8, status: 'CLOSED' })], next: null });
    expect(withNotification(ended, notification('FAILED', 50, undefined, { orderId: 8 }), null)).toBe(ended);
  });

  it('takes an order that was read again, unless it has ended or is newer', () => {
    const changed = order({ id: 8, version: 2 });
    const second = withReread(first, 8, changed);
    expect(second.rows.map((each) => each.version)).toEqual([1, 2, 1]);
    expect(withReread(second, 8, order({ id: 8 }))).toBe(second);
    expect(withReread(first, 1, changed)).toBe(first);
    expect(ids(withReread(first, 8, null))).toEqual([9, 7]);
    const ended = withNotification(first, notification('CLOSED', 50, undefined, { orderId: 8 }), null);
    expect(withReread(ended, 8, changed)).toBe(ended);
  });

  it('keeps the objects of unchanged orders', () => {
    const next = refreshed(first, page([10, 9, 8], 8), true, 6);
    expect(next.rows[1]).toBe(first.rows[0]);
    const [nine] = first.rows;
    const changed = refreshed(first, { orders: [{ ...nine!, version: 2 }], next: null }, true, 6);
    expect(changed.rows[0]).not.toBe(nine);
  });

  it('keeps what was found behind a first page without a match', () => {
    const found = withOlder(firstPage(page([], 500)), page([9], 9));
    expect(refreshed(found, page([], 600), true, 50)).toEqual(found);
    expect(refreshed(firstPage(page([], 400)), page([], 600), true, 50).next).toBe(400);
    for (const follow of [true, false])
      expect(refreshed(firstPage(page([9], 5)), page([9], 7), follow, 50).next).toBe(5);
  });
});
