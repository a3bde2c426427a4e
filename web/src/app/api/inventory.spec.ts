import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { Inventory, Product, ProductPage } from './inventory';

const product: Product = { productId: '123', stock: 40, version: 7, lastUpdate: '2026-11-22T10:13:18.044363Z' };

describe('Inventory', () => {
  let inventory: Inventory;
  let server: HttpTestingController;

  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    inventory = TestBed.inject(Inventory);
    server = TestBed.inject(HttpTestingController);
  });

  afterEach(() => server.verify());

  it('reads page after page', () => {
    const pages: ProductPage[] = [];
    inventory.page().subscribe((page) => pages.push(page));
    server.expectOne((sent) => sent.url.endsWith('/api/inventory?limit=200')).flush({ items: [product], next: 'b&c' });
    inventory.page('b&c').subscribe((page) => pages.push(page));
    server
      .expectOne((sent) => sent.url.endsWith('/api/inventory?limit=200&after=b%26c'))
      .flush({ items: [], next: null });
    expect(pages).toEqual([
      { items: [product], next: 'b&c' },
      { items: [], next: null },
    ]);
  });

  it('reads products by id in one request', () => {
    const answers: (readonly Product[])[] = [];
    inventory.named(['123', 'gone']).subscribe((items) => answers.push(items));
    server
      .expectOne((sent) => sent.url.endsWith('/inventory?productId=123&productId=gone'))
      .flush({ items: [product], next: null });
    expect(answers).toEqual([[product]]);
  });

  it('sends no request without an id', () => {
    const answers: (readonly Product[])[] = [];
    inventory.named([]).subscribe((items) => answers.push(items));
    expect(answers).toEqual([[]]);
  });

  it('names the inventory service in a failure', () => {
    const errors: unknown[] = [];
    inventory.page().subscribe({ error: (error: unknown) => errors.push(error) });
    server.expectOne(() => true).flush(null, { status: 503, statusText: 'Service Unavailable' });
    expect(errors).toMatchObject([{ service: 'inventory', status: 503 }]);
  });
});
