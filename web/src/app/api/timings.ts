import { HttpResponse } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';

import { tabStorage } from '../browser';
import { Session } from '../sign-in/session';
import { Order } from './generated/order';

/** The duration of a request that placed an order, and of its parts in the order service. */
export interface Timing {
  readonly tookMs: number;
  readonly stockMs: number | null;
  readonly saveMs: number | null;
  readonly traceId: string | null;
}

const KEY = 'orderstream.timings';
/** The maximum number of stored timings; the oldest are evicted. */
const MAX_TIMINGS = 50;

/** Stores the timings of orders placed in this tab until it is closed: no service has them. */
@Injectable({ providedIn: 'root' })
export class Timings {
  private readonly key = inject(Session).own(KEY);
  private readonly known = new Map<number, Timing>(stored(this.key));

  /** Records the response to a new order; *tookMs* is from the call to the response. */
  remember(response: HttpResponse<Order>, tookMs: number): void {
    const order = response.body;
    // a replayed response has no timing of the order
    if (order === null || response.headers.has('Idempotent-Replayed')) return;
    const parts = serverTiming(response.headers.get('Server-Timing') ?? '');
    this.known.set(order.id, {
      tookMs,
      stockMs: parts.get('stock') ?? null,
      saveMs: parts.get('save') ?? null,
      traceId: response.headers.get('traceparent')?.split('-')[1] ?? null,
    });
    while (this.known.size > MAX_TIMINGS) this.known.delete(this.known.keys().next().value ?? 0);
    tabStorage.write(this.key, JSON.stringify([...this.known]));
  }

  of(orderId: number): Timing | null {
    return this.known.get(orderId) ?? null;
  }
}

/** Parses the durations of a `Server-Timing` header (https://www.w3.org/TR/server-timing/), in milliseconds. */
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

function stored(key: string): readonly [number, Timing][] {
  try {
    const value: unknown = JSON.parse(tabStorage.read(key) ?? '[]');
    return Array.isArray(value) ? (value as [number, Timing][]) : [];
  } catch {
    // ignore an invalid stored value
    return [];
  }
}
