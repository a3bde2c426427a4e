import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, throwError } from 'rxjs';

import { Endpoints } from './endpoints';
import { Disconnection } from './generated/notification';
import { Problem } from './problem';

const TIMEOUT_MS = 5_000;

/** The connections of the live push, for operators; every failure is a `Problem`. */
@Injectable({ providedIn: 'root' })
export class Connections {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  /** Ends all connections of a customer, who may connect again. */
  disconnect(customerId: string): Observable<Disconnection> {
    const url = this.endpoints.url('notification', '/connections/disconnect');
    return this.http
      .post<Disconnection>(url.href, { customerId }, { timeout: TIMEOUT_MS })
      .pipe(catchError((error: unknown) => throwError(() => Problem.of('notification', error))));
  }
}
