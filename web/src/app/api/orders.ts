import { HttpClient, HttpErrorResponse, HttpHeaders, HttpResponse } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, defer, map, tap, throwError } from 'rxjs';

import type { PlacingOrder } from '../traces/order-recorder';
import { Endpoints } from './endpoints';
import { NewOrder, NewOrderItem, Order, OrderPage } from './generated/order';
import { Problem } from './problem';
import { Timings } from './timings';

export type { Order, OrderItem, OrderPage } from './generated/order';
export type OrderStatus = Order['status'];
/** One line of an order; *quantity* is 1 to 1,000,000. */
export type OrderLine = NewOrderItem;

/** Which orders are wanted: those that match all members. */
export interface OrderFilter {
  /** The digits that the order's number begins with. */
  readonly number?: string;
  readonly product?: string;
  readonly customer?: string;
  readonly status?: OrderStatus;
  readonly traceId?: string;
  /** RFC 3339; placed then or later. */
  readonly from?: string;
  /** RFC 3339; placed before. */
  readonly to?: string;
}

/** An order with its ETag, which a change requires. */
export interface TaggedOrder {
  readonly order: Order;
  readonly etag: string;
}

/** The timeout of a request; the service's own deadline for the inventory is 3 s. */
const TIMEOUT_MS = 15_000;
/** The maximum number of lines of an order. */
export const MAX_LINES = 100;
export const MAX_QUANTITY = 1_000_000;

/** A client of the order service; every failure is a `Problem`. */
@Injectable({ providedIn: 'root' })
export class Orders {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);
  private readonly timings = inject(Timings);

  /** Places an order; a repeat with the same *key* and items returns the same order. *placing* is told how it went. */
  place(items: readonly OrderLine[], key: string, placing?: PlacingOrder | null): Observable<TaggedOrder> {
    return defer(() => {
      const began = performance.now();
      const trace = placing && { traceparent: placing.traceparent };
      return this.send('POST', '/orders', { 'Idempotency-Key': key, ...trace }, items).pipe(
        tap({
          next: (response) => {
            this.timings.remember(response, performance.now() - began);
            placing?.answered(response);
          },
          error: (error: unknown) => placing?.failed(error instanceof HttpErrorResponse ? error.status : 0),
        }),
        map(tagged),
        catchError(asProblem),
      );
    });
  }

  get(id: number): Observable<TaggedOrder> {
    return this.one('GET', `/orders/${id.toString()}`);
  }

  /**
   * A page of orders, newest first; *limit* is 1 to 200. With several filters it may have fewer orders, even none, and
   * a next page.
   */
  list(filter: OrderFilter = {}, after?: number, limit?: number): Observable<OrderPage> {
    const url = this.endpoints.url('order', '/orders');
    for (const [name, value] of Object.entries(filter)) url.searchParams.set(name, String(value));
    if (after !== undefined) url.searchParams.set('after', after.toString());
    if (limit !== undefined) url.searchParams.set('limit', limit.toString());
    return this.http.get<OrderPage>(url.href, { timeout: TIMEOUT_MS }).pipe(catchError(asProblem));
  }

  /** Replaces the items, if *etag* matches the order (else 412). */
  change(id: number, items: readonly OrderLine[], etag: string): Observable<TaggedOrder> {
    return this.one('PUT', `/orders/${id.toString()}`, { 'If-Match': etag }, items);
  }

  /** Cancels the order, if *etag* matches it (else 412); without one, in any version. */
  cancel(id: number, etag?: string): Observable<TaggedOrder> {
    return this.one('DELETE', `/orders/${id.toString()}`, etag === undefined ? {} : { 'If-Match': etag });
  }

  private one(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    items?: readonly OrderLine[],
  ): Observable<TaggedOrder> {
    return this.send(method, path, headers, items).pipe(map(tagged), catchError(asProblem));
  }

  private send(
    method: string,
    path: string,
    headers: Record<string, string>,
    items?: readonly OrderLine[],
  ): Observable<HttpResponse<Order>> {
    const body: NewOrder | undefined = items && {
      orderItems: items.map(({ productId, quantity }) => ({ productId, quantity })),
    };
    return this.http.request<Order>(method, this.endpoints.url('order', path).href, {
      body,
      headers: new HttpHeaders(headers),
      observe: 'response',
      timeout: TIMEOUT_MS,
    });
  }
}

function tagged(response: HttpResponse<Order>): TaggedOrder {
  const order = response.body;
  if (order === null) throw new Error('The answer has no order.');
  // a compressing proxy makes the ETag weak, which If-Match rejects; its version is the same
  const etag = response.headers.get('ETag')?.replace(/^W\//, '');
  return { order, etag: etag ?? `"${order.version.toString()}"` };
}

function asProblem(error: unknown): Observable<never> {
  return throwError(() => Problem.of('order', error));
}
