import { Order, OrderPage, OrderStatus } from '../api/orders';
import { Notification } from '../push/feed';

/** The shown orders, newest first; *next* is the cursor of older ones, null at the end. */
export interface Listing {
  readonly rows: readonly Order[];
  readonly next: number | null;
  /** The number of new orders that are not shown yet, and whether there may be more. */
  readonly fresh: number;
  readonly freshMore: boolean;
}

/** The listing of a first page; orders that are unchanged *before* remain the same objects. */
export function firstPage(page: OrderPage, before: Listing | null = null): Listing {
  return { rows: kept(page.orders, before?.rows ?? []), next: page.next, fresh: 0, freshMore: false };
}

function kept(orders: readonly Order[], before: readonly Order[]): readonly Order[] {
  const known = new Map(before.map((order) => [order.id, order]));
  return orders.map((order) => {
    const same = known.get(order.id);
    return same !== undefined && isSame(same, order) ? same : order;
  });
}

function isSame(one: Order, other: Order): boolean {
  return one.version === other.version && one.status === other.status && one.updatedAt === other.updatedAt;
}

/** The listing with a page of older orders. */
export function withOlder(listing: Listing, page: OrderPage): Listing {
  const last = listing.rows.at(-1)?.id ?? Infinity;
  return { ...listing, rows: [...listing.rows, ...page.orders.filter((order) => order.id < last)], next: page.next };
}

/**
 * The listing after the first page was read again.
 *
 * @param follow whether new orders are shown; otherwise they are counted.
 * @param most the maximum number of rows; rows beyond it can be loaded again.
 */
export function refreshed(listing: Listing, page: OrderPage, follow: boolean, most: number): Listing {
  // further pages may have matches that the first one lacks
  if (page.orders.length === 0 && page.next !== null) return { ...listing, fresh: 0, freshMore: false };
  if (listing.rows.length === 0) return firstPage(page);
  const orders = kept(page.orders, listing.rows);
  const newest = listing.rows[0]?.id ?? 0;
  const oldest = page.next === null ? 0 : (orders.at(-1)?.id ?? 0);
  const older = listing.rows.filter((order) => order.id < oldest);
  const known = orders.filter((order) => order.id <= newest);
  if (!follow) {
    const fresh = orders.length - known.length;
    // a whole page of new orders has no update of those that are shown
    if (known.length === 0 && page.next !== null) return { ...listing, fresh, freshMore: true };
    return { rows: [...known, ...older], next: lower(page.next, listing.next), fresh, freshMore: false };
  }
  // more new orders than a page: the ones in between are unknown
  if (known.length === 0 || page.next === null) return firstPage(page, listing);
  const rows = [...orders, ...older];
  const next = lower(page.next, listing.next);
  return rows.length <= most ? settled(rows, next) : settled(rows.slice(0, most), rows[most - 1]?.id ?? null);
}

/** The cursor of two that reads further down; null is the end. */
function lower(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : Math.min(one, other);
}

function settled(rows: readonly Order[], next: number | null): Listing {
  return { rows, next, fresh: 0, freshMore: false };
}

const STATUSES: Partial<Record<Notification['kind'], OrderStatus>> = {
  CLOSED: 'CLOSED',
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
};

/** The listing after a push; an order whose status no longer matches *wanted* is removed. */
export function withNotification(listing: Listing, notification: Notification, wanted: OrderStatus | null): Listing {
  const rows = afterNotification(listing.rows, notification, wanted);
  return rows === listing.rows ? listing : { ...listing, rows };
}

/** The listing after the order *id* was read again: null if it no longer matches. One that has ended does not change. */
export function withReread(listing: Listing, id: number, order: Order | null): Listing {
  const shown = listing.rows.find((each) => each.id === id);
  if (shown?.status !== 'CREATED' || (order !== null && order.version < shown.version)) return listing;
  const now = order === null ? [] : [order];
  return { ...listing, rows: listing.rows.flatMap((each) => (each === shown ? now : [each])) };
}

/** The orders after a push, as a page of which was read before it; the same array when it ends none of them. */
export function afterNotification(
  orders: readonly Order[],
  notification: Notification,
  wanted: OrderStatus | null,
): readonly Order[] {
  const status = STATUSES[notification.kind];
  const place = orders.findIndex((order) => order.id === notification.orderId);
  const order = orders[place];
  if (status === undefined || order === undefined || order.status !== 'CREATED') return orders;
  const changed: Order = {
    ...order,
    status,
    updatedAt: notification.occurredAt,
    failureReason: notification.reason ?? order.failureReason,
  };
  const kept = wanted === null || wanted === status;
  return orders.flatMap((each, index) => (index !== place ? [each] : kept ? [changed] : []));
}
