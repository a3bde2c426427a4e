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
const UNPROCESSABLE = 422;

/** The services that announce events of an order. */
export type Announcer = 'order' | 'processing';

/**
 * What the services keep of an order beside its state: the events in their outboxes, and its stock operations.
 *
 * Every failure is a `Problem`; of an unknown order there is nothing.
 */
@Injectable({ providedIn: 'root' })
export class Evidence {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);
  private readonly session = inject(Session);

  /** The events that a service announced of an order. */
  eventsOf(announcer: Announcer, orderId: number): Observable<readonly AnnouncedEvent[]> {
    return this.events(announcer, this.urlOf(announcer, orderId));
  }

  /** What one of these events says; undefined when it is no longer kept. */
  dataOf(announcer: Announcer, orderId: number, eventId: string): Observable<AnnouncedEvent['data']> {
    const url = this.urlOf(announcer, orderId);
    url.searchParams.set('event', eventId);
    url.searchParams.set('data', 'true');
    return this.events(announcer, url).pipe(
      // a service of an earlier version refuses the parameter
      catchError((problem: unknown) => {
        if (!(problem instanceof Problem) || problem.status !== UNPROCESSABLE) return throwError(() => problem);
        url.searchParams.delete('event');
        return this.events(announcer, url);
      }),
      map((events) => events.find((event) => event.id === eventId)?.data),
    );
  }

  private urlOf(announcer: Announcer, orderId: number): URL {
    const id = orderId.toString();
    const url = this.endpoints.url(announcer, announcer === 'order' ? '/order/events' : `/sagas/${id}/events`);
    if (announcer === 'order') url.searchParams.set('orderId', id);
    return url;
  }

  private events(announcer: Announcer, url: URL): Observable<readonly AnnouncedEvent[]> {
    return this.read<AnnouncedEvents>(announcer, url).pipe(map((answer) => answer?.events ?? []));
  }

  /** The stock operations of an order; none for customers, who may not read them. */
  operationsOf(orderId: number): Observable<readonly StockOperation[]> {
    if (!this.session.may().seeAll) return of([]);
    const url = this.endpoints.url('inventory', '/stock-operations');
    url.searchParams.set('prefix', `${orderId.toString()}:`);
    url.searchParams.set('limit', LIMIT.toString());
    return this.read<StockOperations>('inventory', url).pipe(map((answer) => answer?.operations ?? []));
  }

  private read<T>(service: Service, url: URL): Observable<T | null> {
    return this.http.get<T>(url.href, { timeout: TIMEOUT_MS }).pipe(
      catchError((error: unknown) => {
        const problem = Problem.of(service, error);
        return problem.status === NOT_FOUND ? of(null) : throwError(() => problem);
      }),
    );
  }
}
