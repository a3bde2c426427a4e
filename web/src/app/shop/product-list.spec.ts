import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { ComponentFixture, TestBed } from '@angular/core/testing';

import { Product } from '../api/inventory';
import { Assortment } from './assortment';
import { answerDescriptions, described } from './assortment.testing';
import { quantityOf } from './basket';
import { BasketStore } from './basket-store';
import { ProductList } from './product-list';
import { Stock } from './stock';

const product = (productId: string, stock: number, version = 1): Product => ({
  productId,
  stock,
  version,
  lastUpdate: '2026-11-22T10:13:18.044363Z',
});

describe('ProductList', () => {
  let fixture: ComponentFixture<ProductList>;
  let page: HTMLElement;
  let server: HttpTestingController;

  beforeEach(async () => {
    localStorage.clear();
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting(), Assortment, Stock] });
    server = TestBed.inject(HttpTestingController);
    fixture = TestBed.createComponent(ProductList);
    page = fixture.nativeElement as HTMLElement;
    fixture.detectChanges();
    answerDescriptions(server, [described('mug', 'Coffee mug', 1_290)]);
    await fixture.whenStable();
  });

  afterEach(() => server.verify());

  function stocked(items: readonly Product[], next: string | null = null): void {
    server.expectOne((sent) => sent.url.includes('/inventory?')).flush({ items, next });
    fixture.detectChanges();
  }

  function refused(status: number, body: object | null = null): void {
    server.expectOne((sent) => sent.url.includes('/inventory?')).flush(body, { status, statusText: 'x' });
    fixture.detectChanges();
  }

  function refresh(): void {
    TestBed.inject(Stock).refresh();
  }

  function find(text: string): void {
    const field = page.querySelector<HTMLInputElement>('input[type=search]')!;
    field.value = text;
    field.dispatchEvent(new Event('input'));
    fixture.detectChanges();
  }

  function button(name: string): HTMLButtonElement {
    const found = [...page.querySelectorAll('button')].find((each) => spoken(each) === name);
    expect(found, `a button “${name}”`).toBeDefined();
    return found!;
  }

  const spoken = (element: Element): string => (element.textContent ?? '').replace(/\s+/g, ' ').trim();
  const names = (): string[] => [...page.querySelectorAll('h3')].map(spoken);
  const card = (at: number): string => spoken(page.querySelectorAll('.product')[at]!);

  it('shows placeholders while products load', () => {
    expect(page.querySelectorAll('.placeholder').length).toBeGreaterThan(0);
    stocked([product('a', 1)]);
    expect(page.querySelectorAll('.placeholder')).toHaveLength(0);
  });

  it('shows each product with its stock', () => {
    stocked([product('123', 10_000), product('last-one', 1), product('sold-out', 0)]);
    expect(names()).toEqual(['123', 'last-one', 'sold-out']);
    expect(card(0)).toContain('10,000 in stock');
    expect(card(1)).toContain('1 left');
    expect(card(2)).toContain('Sold out');
  });

  it('shows names, descriptions, prices and pictures, and the id of a product without', () => {
    stocked([product('mug', 5), product('nameless', 5)]);
    expect(names()).toEqual(['Coffee mug', 'nameless']);
    expect(card(0)).toContain('About Coffee mug.€12.90');
    const pictures = [...page.querySelectorAll('use')].map((each) => each.getAttribute('href'));
    expect(pictures).toEqual(['products.svg#mug', 'products.svg#box']);
    button('Add to basket Coffee mug').click();
    fixture.detectChanges();
    expect(spoken(page.querySelector('[role=status]')!)).toBe('Coffee mug: 1 in basket');
    find('COFFEE M');
    expect(names()).toEqual(['Coffee mug']);
  });

  it('adds a product to the basket and announces it', () => {
    stocked([product('123', 5)]);
    button('Add to basket 123').click();
    button('Add to basket 123').click();
    fixture.detectChanges();
    expect(quantityOf(TestBed.inject(BasketStore).basket(), '123')).toBe(2);
    expect(card(0)).toContain('2 in basket');
    expect(spoken(page.querySelector('[role=status]')!)).toBe('123: 2 in basket');
  });

  it('disables sold-out products', () => {
    stocked([product('sold-out', 0)]);
    expect(button('Add to basket sold-out').disabled).toBe(true);
  });

  it('marks a changed stock', () => {
    stocked([product('a', 5), product('b', 5)]);
    expect(page.querySelectorAll('.changed')).toHaveLength(0);
    refresh();
    stocked([product('a', 3, 2), product('b', 5)]);
    expect([...page.querySelectorAll('.changed')].map(spoken)).toEqual(['3 left']);
  });

  it('finds products by a part of their id', () => {
    stocked([product('coffee-mug', 1), product('coffee-beans', 1), product('lamp', 1)]);
    find('COFFEE');
    expect(names()).toEqual(['coffee-mug', 'coffee-beans']);
    expect(spoken(page.querySelector('[role=status]')!)).toBe('2 products found');
  });

  it('reports no match, as text, with a link to all products', () => {
    stocked([product('lamp', 1)]);
    find('<img src=x>');
    expect(spoken(page)).toContain('No product has “<img src=x>” in its name or id.');
    expect(page.querySelector('img')).toBeNull();
    button('Show all products').click();
    fixture.detectChanges();
    expect(names()).toEqual(['lamp']);
    expect(page.querySelector<HTMLInputElement>('input[type=search]')!.value).toBe('');
  });

  it('shows an empty catalogue', () => {
    stocked([]);
    expect(spoken(page)).toContain('There are no products yet.');
  });

  it('pages long lists', () => {
    stocked(Array.from({ length: 130 }, (_, at) => product(`p${at.toString()}`, 1)));
    expect(names()).toHaveLength(60);
    button('Show 70 more').click();
    fixture.detectChanges();
    button('Show 10 more').click();
    fixture.detectChanges();
    expect(names()).toHaveLength(130);
  });

  it('names the unreachable service with the trace, and retries', () => {
    refused(503, { detail: 'The database is away.', traceId: 'abc123' });
    const alert = page.querySelector('[role=alert]')!;
    expect(spoken(alert)).toContain('The inventory service is unavailable.');
    expect(spoken(alert)).toContain('The database is away.');
    expect(spoken(alert)).toContain('abc123');
    button('Try again').click();
    fixture.detectChanges();
    expect(page.querySelectorAll('.placeholder').length).toBeGreaterThan(0);
    expect(page.querySelector('[role=alert]')).toBeNull();
    stocked([product('a', 1)]);
    expect(names()).toEqual(['a']);
  });

  it('keeps stale stock, marked with its time, while the service is unreachable', () => {
    stocked([product('a', 5)]);
    refresh();
    refused(500);
    expect(names()).toEqual(['a']);
    const stale = page.querySelector('.stale')!;
    expect(spoken(stale)).toContain('The inventory service answered with an error (500). As of 0 s ago');
    button('Try again').click();
    fixture.detectChanges();
    expect(button('Try again').disabled).toBe(true);
    stocked([product('a', 4, 2)]);
    expect(page.querySelector('.stale')).toBeNull();
  });
});
