import { OrderStatus } from '../api/orders';
import { traceIdOf } from '../api/trace-id';
import { STATUSES } from '../orders/criteria';

/** The page that a typed text leads to: an order, or the list of orders with filters. */
export interface Destination {
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

const ORDER = /^(?:#|order\s+#?|bestellung\s+#?)?([1-9]\d{0,14})$/i;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MINUTE = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})$/;
const CUSTOMER = /^(?:@|customer:\s*)(\S+)$/i;

/** Where *typed* leads; null when nothing is typed. *statuses* are the names of the statuses in the user's language. */
export function destinationOf(typed: string, statuses: Readonly<Record<OrderStatus, string>>): Destination | null {
  const text = typed.trim();
  if (text === '') return null;
  const order = ORDER.exec(text)?.[1];
  if (order !== undefined) return { path: ['/orders', order], query: {} };
  return { path: ['/orders'], query: filterOf(text, statuses) };
}

function filterOf(text: string, statuses: Readonly<Record<OrderStatus, string>>): Readonly<Record<string, string>> {
  const trace = traceIdOf(text);
  if (trace !== null) return { trace };
  if (DAY.test(text)) return { from: `${text}T00:00`, to: `${dayAfter(text)}T00:00` };
  const minute = MINUTE.exec(text);
  if (minute !== null) return { from: `${minute[1] ?? ''}T${minute[2] ?? ''}` };
  const customer = CUSTOMER.exec(text)?.[1];
  if (customer !== undefined) return { customer };
  const isMeant = (status: OrderStatus): boolean =>
    [status, statuses[status]].some((each) => each.toLowerCase() === text.toLowerCase());
  const status = STATUSES.find(isMeant);
  return status === undefined ? { product: text } : { status };
}

function dayAfter(day: string): string {
  const next = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(next.getTime())) return day;
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}
