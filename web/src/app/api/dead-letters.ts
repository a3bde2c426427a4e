import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, throwError } from 'rxjs';

import { Endpoints } from './endpoints';
import { List, Outcome, WholeLetter } from './generated/processing';
import { Problem } from './problem';

export type { Letter, Outcome, WholeLetter } from './generated/processing';

/** The services that consume a queue, and have its dead-letter queue. */
export type Consumer = 'processing' | 'notification';
export const CONSUMERS: readonly Consumer[] = ['processing', 'notification'];

/** A service receives letters to see them, for up to ten seconds, one request after the other. */
const TIMEOUT_MS = 30_000;

/** The dead letters of a service, for operators; every failure is a `Problem`. */
@Injectable({ providedIn: 'root' })
export class DeadLetters {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  list(service: Consumer): Observable<List> {
    return this.get<List>(service, '');
  }

  /** A letter with its body. */
  show(service: Consumer, id: string): Observable<WholeLetter> {
    return this.get<WholeLetter>(service, `/${encodeURIComponent(id)}`);
  }

  /** Sends letters to their queue again. */
  redrive(service: Consumer, ids: readonly string[]): Observable<Outcome> {
    return this.post(service, '/redrive', ids);
  }

  /** Deletes letters. */
  discard(service: Consumer, ids: readonly string[]): Observable<Outcome> {
    return this.post(service, '/discard', ids);
  }

  private get<T>(service: Consumer, part: string): Observable<T> {
    return this.http
      .get<T>(this.endpoints.own(service, 'dead-letters', part), { timeout: TIMEOUT_MS })
      .pipe(catchError((error: unknown) => throwError(() => Problem.of(service, error))));
  }

  private post(service: Consumer, part: string, ids: readonly string[]): Observable<Outcome> {
    return this.http
      .post<Outcome>(this.endpoints.own(service, 'dead-letters', part), { ids }, { timeout: TIMEOUT_MS })
      .pipe(catchError((error: unknown) => throwError(() => Problem.of(service, error))));
  }
}
