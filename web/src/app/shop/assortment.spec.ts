import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';

import { Assortment } from './assortment';
import { answerDescriptions, described } from './assortment.testing';
import { Stock } from './stock';

describe('Assortment', () => {
  const readAt = signal<number | null>(null);
  let assortment: Assortment;
  let server: HttpTestingController;

  beforeEach(() => {
    readAt.set(null);
    const stock: Pick<Stock, 'readAt'> = { readAt };
    const providers = [
      provideHttpClient(),
      provideHttpClientTesting(),
      Assortment,
      { provide: Stock, useValue: stock },
    ];
    TestBed.configureTestingModule({ providers });
    server = TestBed.inject(HttpTestingController);
    assortment = TestBed.inject(Assortment);
    TestBed.tick();
  });

  afterEach(() => server.verify());

  async function settle(): Promise<void> {
    await Promise.resolve();
    await Promise.resolve();
    TestBed.tick();
  }

  async function answered(...[products, next]: [Parameters<typeof answerDescriptions>[1], string?]): Promise<void> {
    answerDescriptions(server, products, next ?? null);
    await settle();
  }

  async function failed(): Promise<void> {
    server.expectOne((sent) => sent.url.includes('/products?')).error(new ProgressEvent('error'));
    await settle();
  }

  it('knows a product by its id until there is a description', async () => {
    expect(assortment.settled()).toBe(false);
    expect(assortment.name('123')).toBe('123');
    await answered([described('123', 'Pencil', 120)]);
    expect(assortment.settled()).toBe(true);
    expect(assortment.name('123')).toBe('Pencil');
    expect(assortment.name('124')).toBe('124');
  });

  it('reads all pages, and keeps each', async () => {
    await answered([described('123', 'Pencil', 120)], '123');
    expect(assortment.settled()).toBe(false);
    const call = server.match((sent) => sent.url.includes('after=123'));
    expect(call).toHaveLength(1);
    call[0]!.flush({ products: [described('124', 'Pen', 340)], next: null });
    await settle();
    expect(assortment.settled()).toBe(true);
    expect(['123', '124'].map((each) => assortment.name(each))).toEqual(['Pencil', 'Pen']);
  });

  it('has the browser ask whether what it has is still the same', () => {
    const call = server.expectOne((sent) => sent.url.includes('/products?'));
    expect(call.request.cache).toBe('no-cache');
  });

  it('does without while they can’t be read, and reads again with the stock', async () => {
    await failed();
    expect(assortment.settled()).toBe(true);
    expect(assortment.name('123')).toBe('123');
    readAt.set(1);
    await settle();
    expect(assortment.settled()).toBe(true);
    await answered([described('123', 'Pencil', 120)]);
    expect(assortment.name('123')).toBe('Pencil');
    readAt.set(2);
    await settle();
  });

  it('adds up prices of one currency', async () => {
    await answered([described('123', 'Pencil', 120), described('124', 'Pen', 340), described('125', 'Ink', 5, 'JPY')]);
    const total = (lines: Record<string, number>): unknown =>
      assortment.total(Object.entries(lines).map(([productId, quantity]) => ({ productId, quantity })));
    expect(total({ 123: 3, 124: 1 })).toEqual({ minorUnits: 700, currency: 'EUR' });
    expect(total({ 123: 1, 125: 1 })).toBeUndefined();
    expect(total({ 123: 1, unknown: 1 })).toBeUndefined();
    expect(total({})).toBeUndefined();
  });
});
