import { HttpClient, HttpHeaders, HttpResourceRequest } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, catchError, map, of, throwError } from 'rxjs';

import { Endpoints } from './endpoints';
import { Product, ProductPage } from './generated/inventory';
import { Problem } from './problem';

export type { Catalogue as DescriptionPage, Description, Product, ProductPage } from './generated/inventory';

const TIMEOUT_MS = 5_000;
/** Has the browser send the entity tag of what it has: an unchanged list is a 304 without a body. */
const CACHE = 'no-cache';
/** The maximum size of a page. */
const MAX_LIMIT = 200;
/** The maximum number of product ids in one request. */
export const MAX_NAMED = 100;

/** A product with its ETag, which a change requires. */
export interface TaggedProduct {
  readonly product: Product;
  readonly etag: string;
}

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

  /** The request for a page of what the shop shows of its products besides the stock. */
  descriptions(after: string | null): HttpResourceRequest {
    const url = this.endpoints.url('inventory', '/products');
    url.searchParams.set('limit', MAX_LIMIT.toString());
    if (after !== null) url.searchParams.set('after', after);
    return { url: url.href, cache: CACHE, timeout: TIMEOUT_MS };
  }

  /** The existing products among up to 100 ids. */
  named(productIds: readonly string[]): Observable<readonly Product[]> {
    // without an id the service would return all products
    if (productIds.length === 0) return of([]);
    const url = this.endpoints.url('inventory', '/inventory');
    for (const productId of productIds) url.searchParams.append('productId', productId);
    return this.read(url).pipe(map((page) => page.items));
  }

  get(productId: string): Observable<TaggedProduct> {
    return this.one('GET', `/inventory/${encodeURIComponent(productId)}`);
  }

  /** Sets the stock, if *etag* matches the product (else 412). */
  setStock(productId: string, stock: number, etag: string): Observable<TaggedProduct> {
    return this.one('PUT', `/inventory/${encodeURIComponent(productId)}`, { stock }, { 'If-Match': etag });
  }

  /** Adds a product (409 when it exists). */
  add(productId: string, stock: number): Observable<TaggedProduct> {
    return this.one('POST', '/inventory', { productId, stock });
  }

  private one(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Observable<TaggedProduct> {
    const url = this.endpoints.url('inventory', path);
    const options = { body, headers: new HttpHeaders(headers), observe: 'response', timeout: TIMEOUT_MS } as const;
    return this.http.request<Product>(method, url.href, options).pipe(
      map(({ body: product, headers: answered }) => {
        if (product === null) throw new Error('The answer has no product.');
        // a compressing proxy makes the ETag weak, which If-Match rejects; its version is the same
        return { product, etag: answered.get('ETag')?.replace(/^W\//, '') ?? `"${product.version.toString()}"` };
      }),
      catchError((error: unknown) => throwError(() => Problem.of('inventory', error))),
    );
  }

  private read(url: URL): Observable<ProductPage> {
    return this.http
      .get<ProductPage>(url.href, { cache: CACHE, timeout: TIMEOUT_MS })
      .pipe(catchError((error: unknown) => throwError(() => Problem.of('inventory', error))));
  }
}
