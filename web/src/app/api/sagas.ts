import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, map, throwError } from 'rxjs';

import { Endpoints } from './endpoints';
import { Saga, Sagas as Answer } from './generated/processing';
import { Problem } from './problem';

export type { FailedAttempt, Saga, Step as SagaStep } from './generated/processing';
export type SagaState = Saga['state'];

const TIMEOUT_MS = 5_000;
/** More versions than an order ever has. */
const LIMIT = 200;

/** A client of the processing service; every failure is a `Problem`. */
@Injectable({ providedIn: 'root' })
export class Sagas {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  /** The saga of each version of an order, the oldest first; empty before its first event was consumed. */
  of(orderId: number): Observable<readonly Saga[]> {
    // not /sagas/N, which answers 404 before the first event: a browser reports that as an error
    const url = this.endpoints.url('processing', '/sagas');
    url.searchParams.set('orderId', orderId.toString());
    url.searchParams.set('limit', LIMIT.toString());
    return this.http.get<Answer>(url.href, { timeout: TIMEOUT_MS }).pipe(
      map((answer) => answer.sagas),
      catchError((error: unknown) => throwError(() => Problem.of('processing', error))),
    );
  }

  /** Has the waiting step of an order run at once; for operators. */
  retry(orderId: number): Observable<readonly Saga[]> {
    const url = this.endpoints.url('processing', `/sagas/${orderId.toString()}/retry`);
    return this.http.post<Answer>(url.href, {}, { timeout: TIMEOUT_MS }).pipe(
      map((answer) => answer.sagas),
      catchError((error: unknown) => throwError(() => Problem.of('processing', error))),
    );
  }
}
