import { HttpErrorResponse } from '@angular/common/http';

import { Service } from './endpoints';
import { Violation } from './generated/order';

/** A violation of a request (RFC 9457, section 3.2); the order service's has all members. */
export type { Violation } from './generated/order';

/** A failed call: a problem document, another error response, or no response. */
export class Problem extends Error {
  constructor(
    readonly service: Service,
    /** 0 without a response. */
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly traceId: string | null,
    readonly violations: readonly Violation[],
  ) {
    super(detail || title);
    this.name = 'Problem';
  }

  get unreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** Whether the service itself answered, with a problem document of its own. */
  get answered(): boolean {
    return this.traceId !== null;
  }

  static of(service: Service, error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (!(error instanceof HttpErrorResponse)) {
      return new Problem(service, 0, '', error instanceof Error ? error.message : String(error), null, []);
    }
    const body: unknown = error.error;
    const facts: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
    return new Problem(
      service,
      error.status,
      text(facts['title']) ?? error.statusText,
      text(facts['detail']) ?? '',
      text(facts['traceId']),
      Array.isArray(facts['errors']) ? (facts['errors'] as Violation[]) : [],
    );
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
