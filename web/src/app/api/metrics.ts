import { HttpClient, HttpErrorResponse } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, map, of, throwError } from 'rxjs';

import { Endpoints, SERVICES, Service, ofService } from './endpoints';
import { Problem } from './problem';

/** A process whose health and metrics can be read. */
export interface Replica {
  readonly service: Service;
  /** Counted from 1. */
  readonly number: number;
  /** The number of the service's replicas. */
  readonly of: number;
  /** Its base URL. */
  readonly address: string;
  /** Whether a load balancer answers for all replicas. */
  readonly balanced: boolean;
}

/** The readiness report of a process; each check by its name, `ok` or the reason. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
  /** The version of the process; absent where it is not told. */
  readonly version?: string;
}

// longer than the services' own checks (1 s), shorter than the polling interval
const TIMEOUT_MS = 4000;
const NO_REPORT = 'The response is not a health report.';

/** A client of the health and metrics endpoints of all processes; every failure is a `Problem`. */
@Injectable({ providedIn: 'root' })
export class Metrics {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  /** All processes that can be read. */
  replicas(): readonly Replica[] {
    return SERVICES.flatMap((service) => {
      const addresses = this.endpoints.replicas(service);
      return addresses.map((address, index) => ({
        service,
        number: index + 1,
        of: addresses.length,
        address,
        balanced: !/^https?:/.test(address),
      }));
    });
  }

  readiness(replica: Replica): Observable<Readiness> {
    const url = ofService(replica.address, replica.service, 'health');
    return this.http.get<unknown>(url, { timeout: TIMEOUT_MS }).pipe(
      // a process that is not ready answers 503 with its report
      catchError((error: unknown) =>
        error instanceof HttpErrorResponse && error.status === 503
          ? of(error.error as unknown)
          : throwError(() => error),
      ),
      map((body) => {
        const report = readinessOf(body);
        if (report === null) throw new Error(NO_REPORT);
        return report;
      }),
      catchError((error: unknown) => throwError(() => Problem.of(replica.service, error))),
    );
  }

  /** Prometheus' text format. */
  scrape(replica: Replica): Observable<string> {
    return this.http
      .get(ofService(replica.address, replica.service, 'metrics'), { responseType: 'text', timeout: TIMEOUT_MS })
      .pipe(catchError((error: unknown) => throwError(() => Problem.of(replica.service, error))));
  }
}

function readinessOf(body: unknown): Readiness | null {
  if (typeof body !== 'object' || body === null) return null;
  const { status, checks, version } = body as { status?: unknown; checks?: unknown; version?: unknown };
  if ((status !== 'ready' && status !== 'not ready') || typeof checks !== 'object' || checks === null) return null;
  const outcomes = Object.entries(checks).map(([name, outcome]) => [name, String(outcome)] as const);
  const told = typeof version === 'string' ? { version } : {};
  return { ready: status === 'ready', checks: Object.fromEntries(outcomes), ...told };
}
