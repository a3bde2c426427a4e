import { Order, OrderPage, OrderStatus } from '../api/orders';
import { Notification } from '../push/feed';

/** The orders that are shown, newest first; *next* is where older ones begin, null when there are none. */
export interface Listing {
  readonly rows: readonly Order[];
  readonly next: number | null;
  /** New orders that are not shown yet, and whether there are perhaps more of them. */
  readonly fresh: number;
  readonly freshMore: boolean;
}

/** The first page, as it is when nothing was shown before. */
export function begun(page: OrderPage): Listing {
  return { rows: page.orders, next: page.next, fresh: 0, freshMore: false };
}

/** The orders that follow. */
export function continued(listing: Listing, page: OrderPage): Listing {
  const last = listing.rows.at(-1)?.id ?? Infinity;
  return { ...listing, rows: [...listing.rows, ...page.orders.filter((order) => order.id < last)], next: page.next };
}

/**
 * The first page, read again: what is on it is as it says.
 *
 * @param follow whether new orders are shown; if not, they are counted.
 * @param most how many rows there may be: those that move out at the end can be asked for again.
 */
export function refreshed(listing: Listing, page: OrderPage, follow: boolean, most: number): Listing {
  if (listing.rows.length === 0) return begun(page);
  const newest = listing.rows[0]?.id ?? 0;
  const oldest = page.next === null ? 0 : (page.orders.at(-1)?.id ?? 0);
  const older = listing.rows.filter((order) => order.id < oldest);
  const known = page.orders.filter((order) => order.id <= newest);
  if (!follow) {
    const fresh = page.orders.length - known.length;
    // with a whole page of new orders, nothing is heard of those that are shown
    if (known.length === 0 && page.next !== null) return { ...listing, fresh, freshMore: true };
    const next = page.next === null ? null : older.length === 0 ? page.next : listing.next;
    return { rows: [...known, ...older], next, fresh, freshMore: false };
  }
  // more new orders than a page has: what lies between is not known
  if (known.length === 0 || page.next === null) return begun(page);
  const rows = [...page.orders, ...older];
  const next = older.length === 0 ? page.next : listing.next;
  return rows.length <= most ? settled(rows, next) : settled(rows.slice(0, most), rows[most - 1]?.id ?? null);
}

function settled(rows: readonly Order[], next: number | null): Listing {
  return { rows, next, fresh: 0, freshMore: false };
}

const STATUSES: Partial<Record<Notification['kind'], OrderStatus>> = {
  CLOSED: 'CLOSED',
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
};

/** What a push says of an order that is shown; one whose status is not *wanted* any more goes. */
export function told(listing: Listing, notification: Notification, wanted: OrderStatus | null): Listing {
  const status = STATUSES[notification.kind];
  const place = listing.rows.findIndex((order) => order.id === notification.orderId);
  const order = listing.rows[place];
  if (status === undefined || order === undefined || order.status !== 'CREATED') return listing;
  const changed: Order = {
    ...order,
    status,
    updatedAt: notification.occurredAt,
    failureReason: notification.reason ?? order.failureReason,
  };
  const kept = wanted === null || wanted === status;
  const rows = listing.rows.flatMap((each, index) => (index !== place ? [each] : kept ? [changed] : []));
  return { ...listing, rows };
}
