import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, map, throwError } from 'rxjs';

import { Notification } from '../push/feed';
import { Endpoints } from './endpoints';
import { NotificationPage, RecordedNotification } from './generated/notification';
import { Problem } from './problem';

/** A notification of the history; a pushed one has no *recordedAt*. */
export type Recorded = Notification & Partial<Pick<RecordedNotification, 'recordedAt'>>;

/** A page of the history; *next* is the position of the page that follows, null at the end. */
export interface HistoryPage {
  readonly notifications: readonly Recorded[];
  readonly next: string | null;
}

const TIMEOUT_MS = 5_000;
const PAGE_LIMIT = 100;
/** More than an order ever has, unless it is changed two hundred times during its processing. */
const LIMIT = 200;

/** A client of the notification history; every failure is a `Problem`. */
@Injectable({ providedIn: 'root' })
export class Notifications {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  /** A page of what was told before *before*, or at all, the newest first; of all orders or some. */
  before(before: string | null, orderIds: readonly number[] = []): Observable<HistoryPage> {
    const url = this.endpoints.url('notification', '/notifications');
    url.searchParams.set('order', 'desc');
    url.searchParams.set('limit', PAGE_LIMIT.toString());
    if (before !== null) url.searchParams.set('before', before);
    for (const each of orderIds) url.searchParams.append('orderId', each.toString());
    return this.read(url);
  }

  /** The notifications of an order, the oldest first. */
  of(orderId: number): Observable<readonly Recorded[]> {
    const url = this.endpoints.url('notification', '/notifications');
    url.searchParams.set('orderId', orderId.toString());
    url.searchParams.set('limit', LIMIT.toString());
    return this.read(url).pipe(map((answer) => answer.notifications));
  }

  private read(url: URL): Observable<HistoryPage> {
    return this.http
      .get<NotificationPage>(url.href, { timeout: TIMEOUT_MS })
      .pipe(catchError((error: unknown) => throwError(() => Problem.of('notification', error))));
  }
}
