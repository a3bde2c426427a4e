import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, map, of, throwError } from 'rxjs';

import { Session } from '../sign-in/session';
import { Endpoints, Service } from './endpoints';
import { StockOperation, StockOperations } from './generated/inventory';
import { AnnouncedEvent, AnnouncedEvents } from './generated/order';
import { Problem } from './problem';

export type { StockOperation } from './generated/inventory';
export type { AnnouncedEvent } from './generated/order';

const TIMEOUT_MS = 5_000;
const LIMIT = 200;
const NOT_FOUND = 404;

/**
 * What the services keep of an order beside its state: the events in their outboxes, and its stock operations.
 *
 * Every failure is a `Problem`; for those who see only their own orders, and for an unknown order, there is nothing.
 */
@Injectable({ providedIn: 'root' })
export class Evidence {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);
  private readonly session = inject(Session);

  /** The events that the order service announced. */
  eventsOf(orderId: number): Observable<readonly AnnouncedEvent[]> {
    const url = this.endpoints.url('order', '/order/events');
    url.searchParams.set('orderId', orderId.toString());
    return this.read<AnnouncedEvents>('order', url).pipe(map((answer) => answer?.events ?? []));
  }

  /** The events that the order's sagas announced. */
  sagaEventsOf(orderId: number): Observable<readonly AnnouncedEvent[]> {
    const url = this.endpoints.url('processing', `/sagas/${orderId.toString()}/events`);
    return this.read<AnnouncedEvents>('processing', url).pipe(map((answer) => answer?.events ?? []));
  }

  operationsOf(orderId: number): Observable<readonly StockOperation[]> {
    const url = this.endpoints.url('inventory', '/stock-operations');
    url.searchParams.set('prefix', `${orderId.toString()}:`);
    url.searchParams.set('limit', LIMIT.toString());
    return this.read<StockOperations>('inventory', url).pipe(map((answer) => answer?.operations ?? []));
  }

  private read<T>(service: Service, url: URL): Observable<T | null> {
    if (!this.session.may().seeAll) return of(null);
    return this.http.get<T>(url.href, { timeout: TIMEOUT_MS }).pipe(
      catchError((error: unknown) => {
        const problem = Problem.of(service, error);
        return problem.status === NOT_FOUND ? of(null) : throwError(() => problem);
      }),
    );
  }
}
