import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, map, throwError } from 'rxjs';

import { Notification } from '../push/feed';
import { Endpoints } from './endpoints';
import { NotificationPage, RecordedNotification } from './generated/notification';
import { Problem } from './problem';

/** A notification of the history; a pushed one has no *recordedAt*. */
export type Recorded = Notification & Partial<Pick<RecordedNotification, 'recordedAt'>>;

const TIMEOUT_MS = 5_000;
/** More than an order ever has, unless it is changed two hundred times during its processing. */
const LIMIT = 200;

/** A client of the notification history; every failure is a `Problem`. */
@Injectable({ providedIn: 'root' })
export class Notifications {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  /** The notifications of an order, the oldest first. */
  of(orderId: number): Observable<readonly Recorded[]> {
    const url = this.endpoints.url('notification', '/notifications');
    url.searchParams.set('orderId', orderId.toString());
    url.searchParams.set('limit', LIMIT.toString());
    return this.http.get<NotificationPage>(url.href, { timeout: TIMEOUT_MS }).pipe(
      map((answer) => answer.notifications),
      catchError((error: unknown) => throwError(() => Problem.of('notification', error))),
    );
  }
}
