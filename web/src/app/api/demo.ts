import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, throwError } from 'rxjs';

import { Endpoints, Service } from './endpoints';
import { Problem } from './problem';

// a hundred orders, of which each may wait for a service that hangs
const TIMEOUT_MS = 60_000;

/** The controls of the demo, with which a visitor breaks it; every failure is a `Problem` of the service concerned. */
@Injectable({ providedIn: 'root' })
export class Demo {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  /** Whether there are controls. */
  readonly exists = this.endpoints.demo;

  /** Places 100 orders. */
  placeOrders(): Observable<{ readonly placed: number; readonly refused: number }> {
    return this.post('order', 'orders');
  }

  /** Suspends the inventory service for some seconds. */
  freezeInventory(): Observable<{ readonly frozen: number; readonly seconds: number }> {
    return this.post('inventory', 'freeze-inventory');
  }

  /** Kills the processing service, which is started again. */
  killProcessing(): Observable<{ readonly killed: number }> {
    return this.post('processing', 'kill-processing');
  }

  private post<T>(service: Service, control: string): Observable<T> {
    return this.http
      .post<T>(this.endpoints.demoUrl(control).href, {}, { timeout: TIMEOUT_MS })
      .pipe(catchError((error: unknown) => throwError(() => Problem.of(service, error))));
  }
}
