import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, map, of, throwError } from 'rxjs';

import { Endpoints } from './endpoints';
import { Product, ProductPage } from './generated/inventory';
import { Problem } from './problem';

export type { Product, ProductPage } from './generated/inventory';

const TIMEOUT_MS = 5_000;
/** The maximum size of a page. */
export const MAX_LIMIT = 200;
/** The maximum number of product ids in one request. */
export const MAX_NAMED = 100;

/** A client of the inventory service; every failure is a `Problem`. */
@Injectable({ providedIn: 'root' })
export class Inventory {
  private readonly http = inject(HttpClient);
  private readonly endpoints = inject(Endpoints);

  /** A page of all products; *limit* is 1 to 200. */
  page(after: string | null = null, limit = MAX_LIMIT): Observable<ProductPage> {
    const url = this.endpoints.url('inventory', '/inventory');
    url.searchParams.set('limit', limit.toString());
    if (after !== null) url.searchParams.set('after', after);
    return this.read(url);
  }

  /** The existing products among up to 100 ids. */
  named(productIds: readonly string[]): Observable<readonly Product[]> {
    // without an id the service would return all products
    if (productIds.length === 0) return of([]);
    const url = this.endpoints.url('inventory', '/inventory');
    for (const productId of productIds) url.searchParams.append('productId', productId);
    return this.read(url).pipe(map((page) => page.items));
  }

  private read(url: URL): Observable<ProductPage> {
    return this.http
      .get<ProductPage>(url.href, { timeout: TIMEOUT_MS })
      .pipe(catchError((error: unknown) => throwError(() => Problem.of('inventory', error))));
  }
}
