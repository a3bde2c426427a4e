import { HttpResponse } from '@angular/common/http';
import { Injectable } from '@angular/core';

import { Order } from './orders';

/** What a request that placed an order took: as this page saw it, and as the order service measured its parts. */
export interface Timing {
  readonly tookMs: number;
  readonly stockMs: number | null;
  readonly saveMs: number | null;
  readonly traceId: string | null;
}

const KEY = 'orderstream.timings';
/** The oldest are forgotten first. */
const KEPT = 50;

/** Nobody else can tell what a request took, so the orders that this tab placed are remembered until it is closed. */
@Injectable({ providedIn: 'root' })
export class Timings {
  private readonly known = new Map<number, Timing>(stored());

  /** Takes down the answer to a new order; *tookMs* is from the call to the answer. */
  remember(response: HttpResponse<Order>, tookMs: number): void {
    const order = response.body;
    // a repeat of an earlier answer says nothing of how the order came to be
    if (order === null || response.headers.has('Idempotent-Replayed')) return;
    const parts = serverTiming(response.headers.get('Server-Timing') ?? '');
    this.known.set(order.id, {
      tookMs,
      stockMs: parts.get('stock') ?? null,
      saveMs: parts.get('save') ?? null,
      traceId: response.headers.get('traceparent')?.split('-')[1] ?? null,
    });
    while (this.known.size > KEPT) this.known.delete(this.known.keys().next().value ?? 0);
    sessionStorage.setItem(KEY, JSON.stringify([...this.known]));
  }

  of(orderId: number): Timing | null {
    return this.known.get(orderId) ?? null;
  }
}

/** Reads the durations of a `Server-Timing` header (https://www.w3.org/TR/server-timing/), in milliseconds. */
export function serverTiming(header: string): ReadonlyMap<string, number> {
  const durations = new Map<string, number>();
  for (const metric of header.split(',')) {
    const [name = '', ...parameters] = metric.split(';').map((part) => part.trim());
    const duration = parameters.find((parameter) => parameter.startsWith('dur='));
    const value = duration === undefined ? NaN : Number.parseFloat(duration.slice('dur='.length).replaceAll('"', ''));
    if (name !== '' && Number.isFinite(value)) durations.set(name, value);
  }
  return durations;
}

function stored(): readonly [number, Timing][] {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
    return Array.isArray(value) ? (value as [number, Timing][]) : [];
  } catch {
    // what somebody else left under this name is nothing to fail for
    return [];
  }
}
