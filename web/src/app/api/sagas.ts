import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, map, of, throwError } from 'rxjs';

import { Endpoints } from './endpoints';
import { Problem } from './problem';

export type SagaState = 'STARTED' | 'STOCK_TAKEN' | 'FAILING' | 'RELEASING' | 'DONE' | 'FAILED' | 'RELEASED';

/** When a saga came to a state. */
export interface SagaStep {
  readonly state: SagaState;
  readonly at: string;
}

/** The work on one version of an order. */
export interface Saga {
  readonly orderId: number;
  readonly version: number;
  readonly state: SagaState;
  readonly late: boolean;
  /** Of all steps together. */
  readonly attempts: number;
  readonly lastError: string | null;
  readonly reason: string | null;
  readonly nextRunAt: string | null;
  readonly steps: readonly SagaStep[];
}

const TIMEOUT_MS = 5_000;
const NOT_FOUND = 404;

/** The processing service; whatever fails, fails as a `Problem`. */
@Injectable({ providedIn: 'root' })
export class Sagas {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  /** The saga of each version of an order, the oldest first; none while no event of the order has come there. */
  of(orderId: number): Observable<readonly Saga[]> {
    const url = this.endpoints.url('processing', `/sagas/${orderId.toString()}`);
    return this.http.get<{ sagas: readonly Saga[] }>(url.href, { timeout: TIMEOUT_MS }).pipe(
      map((answer) => answer.sagas),
      catchError((error: unknown) => {
        const problem = Problem.of('processing', error);
        return problem.status === NOT_FOUND ? of([]) : throwError(() => problem);
      }),
    );
  }
}
