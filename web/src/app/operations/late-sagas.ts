import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, map, throwError } from 'rxjs';

import { Endpoints } from '../api/endpoints';
import { Saga, Sagas as Answer } from '../api/generated/processing';
import { Problem } from '../api/problem';

/** A saga that has been open for over 30 s. */
export type LateSaga = Pick<Saga, 'orderId' | 'version' | 'state' | 'attempts' | 'lastError' | 'nextRunAt'>;

const LIMIT = 20;
const TIMEOUT_MS = 4000;

/** The late sagas, those of the newest orders first; 20 at most. */
@Injectable({ providedIn: 'root' })
export class LateSagas {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  find(): Observable<readonly LateSaga[]> {
    const url = this.endpoints.url('processing', '/sagas');
    url.searchParams.set('late', 'true');
    url.searchParams.set('limit', LIMIT.toString());
    return this.http.get<Answer>(url.href, { timeout: TIMEOUT_MS }).pipe(
      map((page) => page.sagas),
      catchError((error: unknown) => throwError(() => Problem.of('processing', error))),
    );
  }
}
