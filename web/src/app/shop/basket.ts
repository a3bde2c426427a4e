import { isRecord } from 'orderstream-client';

import { MAX_LINES, MAX_QUANTITY, OrderLine } from '../api/orders';

/** The lines to order. The idempotency key belongs to exactly these lines, and is sent with every attempt. */
export interface Basket {
  readonly lines: readonly OrderLine[];
  readonly key: string;
}

export type Change =
  | { readonly type: 'add'; readonly productId: string; readonly quantity: number }
  | { readonly type: 'set'; readonly productId: string; readonly quantity: number }
  | { readonly type: 'remove'; readonly productId: string }
  /** The order with this key was placed. */
  | { readonly type: 'placed'; readonly key: string };

/** Generates a unique key. */
export type NewKey = () => string;

export function emptyBasket(newKey: NewKey): Basket {
  return { lines: [], key: newKey() };
}

/** The basket after *change*; the same object when nothing changes. */
export function changed(basket: Basket, change: Change, newKey: NewKey): Basket {
  // a basket that was changed since, perhaps in another tab, is kept
  if (change.type === 'placed') return change.key === basket.key ? emptyBasket(newKey) : basket;
  const lines = changedLines(basket.lines, change);
  return same(lines, basket.lines) ? basket : { lines, key: newKey() };
}

export function quantityOf(basket: Basket, productId: string): number {
  return basket.lines.find((line) => line.productId === productId)?.quantity ?? 0;
}

export function isFull(basket: Basket): boolean {
  return basket.lines.length >= MAX_LINES;
}

/** Parses a stored basket; null when it is invalid. */
export function read(text: string | null): Basket | null {
  if (text === null) return null;
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(stored) || typeof stored['key'] !== 'string' || !/^[\w-]{16,64}$/.test(stored['key'])) return null;
  const lines: unknown = stored['lines'];
  if (!Array.isArray(lines) || lines.length > MAX_LINES || !lines.every(isLine)) return null;
  if (new Set(lines.map((line) => line.productId)).size < lines.length) return null;
  return { lines: lines.map(({ productId, quantity }) => ({ productId, quantity })), key: stored['key'] };
}

function changedLines(lines: readonly OrderLine[], change: Exclude<Change, { type: 'placed' }>): readonly OrderLine[] {
  const { productId } = change;
  const known = lines.find((line) => line.productId === productId);
  if (change.type === 'remove') return lines.filter((line) => line !== known);
  const quantity = asQuantity(change.type === 'add' ? (known?.quantity ?? 0) + change.quantity : change.quantity);
  if (quantity === null) return lines;
  if (known) return lines.map((line) => (line === known ? { productId, quantity } : line));
  return lines.length < MAX_LINES ? [...lines, { productId, quantity }] : lines;
}

/** The nearest valid quantity; null when it is not a finite number. */
export function asQuantity(quantity: number): number | null {
  return Number.isFinite(quantity) ? Math.min(Math.max(Math.trunc(quantity), 1), MAX_QUANTITY) : null;
}

function same(some: readonly OrderLine[], others: readonly OrderLine[]): boolean {
  return (
    some.length === others.length &&
    some.every((line, at) => line.productId === others[at]?.productId && line.quantity === others[at]?.quantity)
  );
}

function isLine(value: unknown): value is OrderLine {
  if (!isRecord(value)) return false;
  const { productId, quantity } = value as { productId?: unknown; quantity?: unknown };
  return (
    typeof productId === 'string' &&
    /^[\w.-]{1,64}$/.test(productId) &&
    Number.isInteger(quantity) &&
    asQuantity(quantity as number) === quantity
  );
}
