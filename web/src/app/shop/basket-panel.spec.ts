import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { ComponentFixture, TestBed } from '@angular/core/testing';
import { Router, provideRouter } from '@angular/router';

import { Assortment } from './assortment';
import { answerDescriptions, described } from './assortment.testing';
import { BasketPanel } from './basket-panel';
import { BasketStore } from './basket-store';
import { Stock } from './stock';

describe('BasketPanel', () => {
  let fixture: ComponentFixture<BasketPanel>;
  let page: HTMLElement;
  let server: HttpTestingController;
  let store: BasketStore;

  beforeEach(() => {
    localStorage.clear();
    TestBed.configureTestingModule({
      providers: [provideHttpClient(), provideHttpClientTesting(), provideRouter([]), Assortment, Stock],
    });
    server = TestBed.inject(HttpTestingController);
    store = TestBed.inject(BasketStore);
    fixture = TestBed.createComponent(BasketPanel);
    page = fixture.nativeElement as HTMLElement;
    document.body.append(page);
    fixture.detectChanges();
    answerDescriptions(server, [described('mug', 'Coffee mug', 1_290)]);
  });

  afterEach(() => {
    server.verify();
    page.remove();
  });

  function stocked(stocks: Record<string, number>): void {
    const items = Object.entries(stocks).map(([productId, stock]) => ({
      productId,
      stock,
      version: 1,
      lastUpdate: '',
    }));
    server.expectOne((sent) => sent.url.includes('/inventory?')).flush({ items, next: null });
    fixture.detectChanges();
  }

  function filled(lines: Record<string, number>): void {
    for (const [productId, quantity] of Object.entries(lines)) store.change({ type: 'add', productId, quantity });
    fixture.detectChanges();
  }

  const spoken = (element: Element | null): string => (element?.textContent ?? '').replace(/\s+/g, ' ').trim();

  function button(name: string): HTMLButtonElement {
    const found = [...page.querySelectorAll('button')].find(
      (each) => (each.getAttribute('aria-label') ?? spoken(each)) === name,
    );
    expect(found, `a button “${name}”`).toBeDefined();
    return found!;
  }

  function ordered(): TestRequest {
    button('Place order').click();
    fixture.detectChanges();
    return server.expectOne((sent) => sent.method === 'POST');
  }

  function refuse(call: TestRequest, status: number, body: object): void {
    call.flush(body, { status, statusText: 'x' });
    fixture.detectChanges();
  }

  const note = (): string => spoken(page.querySelector('.note'));

  it('shows an empty basket without an order button', () => {
    stocked({});
    expect(spoken(page)).toContain('Your basket is empty.');
    expect([...page.querySelectorAll('button')]).toEqual([]);
  });

  it('shows its lines and a summary', () => {
    stocked({ a: 9, b: 9 });
    filled({ a: 2, b: 1 });
    expect([...page.querySelectorAll('.name')].map(spoken)).toEqual(['a', 'b']);
    expect(spoken(page)).toContain('2 products, 3 pieces');
  });

  it('names the products, with prices and their total', async () => {
    await fixture.whenStable();
    stocked({ mug: 9, b: 9 });
    filled({ mug: 2 });
    expect([...page.querySelectorAll('.name, .price')].map(spoken)).toEqual(['Coffee mug', '€25.80', '€25.80']);
    button('Remove Coffee mug');
    filled({ b: 1 });
    expect([...page.querySelectorAll('.price')].map(spoken)).toEqual(['€25.80']);
  });

  it('changes and removes lines and keeps the focus', () => {
    stocked({ a: 9, b: 9 });
    filled({ a: 2, b: 1 });
    button('One more of a').click();
    button('Remove b').click();
    fixture.detectChanges();
    expect(store.basket().lines).toEqual([{ productId: 'a', quantity: 3 }]);
    expect(document.activeElement).toBe(page.querySelector('h2'));
    expect(spoken(page.querySelector('[role=status]'))).toBe('b removed from the basket');
  });

  it('marks a line above the stock, and reduces it to the stock', () => {
    stocked({ a: 3 });
    filled({ a: 5 });
    expect(note()).toContain('Only 3 in stock.');
    const field = page.querySelector('input')!;
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(spoken(document.getElementById(field.getAttribute('aria-describedby')!))).toBe('Only 3 in stock.');
    button('Take 3 of a').click();
    fixture.detectChanges();
    expect(store.basket().lines).toEqual([{ productId: 'a', quantity: 3 }]);
    expect(page.querySelector('.note')).toBeNull();
  });

  it('disables the button during an order', () => {
    stocked({ a: 9 });
    filled({ a: 1 });
    const call = ordered();
    expect(button('Placing order …').disabled).toBe(true);
    expect(button('One more of a').disabled).toBe(true);
    button('Placing order …').click();
    refuse(call, 409, {});
    expect(button('Place order').disabled).toBe(false);
    stocked({ a: 9 });
  });

  it('navigates to the placed order', () => {
    stocked({ a: 9 });
    filled({ a: 1 });
    const navigate = vi.spyOn(TestBed.inject(Router), 'navigate').mockResolvedValue(true);
    ordered().flush({ id: 12, version: 1, orderItems: [] }, { status: 201, statusText: 'Created' });
    fixture.detectChanges();
    expect(navigate).toHaveBeenCalledExactlyOnceWith(['/orders', 12]);
    expect(spoken(page)).toContain('Order 12 is placed.');
    expect(page.querySelector('a')!.getAttribute('href')).toBe('/orders/12');
    expect(spoken(page)).toContain('Your basket is empty.');
  });

  it('marks the refused line with the stock, and reads the stock again', () => {
    stocked({ a: 9, b: 9 });
    filled({ a: 1, b: 4 });
    const short = { pointer: '/orderItems/1/quantity', detail: '…', productId: 'b', requested: 4, stock: 2 };
    refuse(ordered(), 409, { detail: 'There is not enough in stock.', traceId: 'abc', errors: [short] });
    const alert = spoken(page.querySelector('[role=alert]'));
    expect(alert).toContain('The order was not placed.');
    expect(alert).toContain('There is not enough in stock. See the marked products.');
    expect(alert).toContain('abc');
    expect(alert).not.toContain('Try again');
    expect(spoken(page.querySelector('.marked'))).toContain('b');
    expect(note()).toContain('Only 2 in stock.');
    stocked({ a: 9, b: 2 });
    button('Take 2 of b').click();
    fixture.detectChanges();
    expect(page.querySelector('[role=alert]')).toBeNull();
  });

  it('marks a product that is no longer sold', () => {
    stocked({ a: 9 });
    filled({ a: 1 });
    const unknown = { pointer: '/orderItems/0/productId', detail: 'There is no product a.', productId: 'a' };
    refuse(ordered(), 422, { detail: 'The inventory does not have all of these products.', errors: [unknown] });
    expect(note()).toBe('This product is no longer sold.');
    stocked({});
  });

  it('offers a retry with the same key when the service is unreachable', () => {
    stocked({ a: 9 });
    filled({ a: 1 });
    const first = ordered();
    first.error(new ProgressEvent('error'));
    fixture.detectChanges();
    const alert = spoken(page.querySelector('[role=alert]'));
    expect(alert).toContain('The order service could not be reached.');
    expect(document.activeElement).toBe(button('Place order'));
    stocked({ a: 9 });
    button('Try again').click();
    fixture.detectChanges();
    const second = server.expectOne((sent) => sent.method === 'POST');
    const keys = [first, second].map((call) => call.request.headers.get('Idempotency-Key'));
    expect(keys[1]).toBe(keys[0]);
    refuse(second, 503, { detail: 'inventory-service: GET /inventory/a: no connection' });
    expect(spoken(page.querySelector('[role=alert]'))).toContain('The inventory service could not be reached.');
    stocked({ a: 9 });
  });

  it('escapes HTML of a refusal', () => {
    stocked({ a: 9 });
    filled({ a: 1 });
    refuse(ordered(), 422, { detail: '<img src=x onerror=alert(1)>' });
    expect(page.querySelector('img')).toBeNull();
    expect(spoken(page)).toContain('<img src=x onerror=alert(1)>');
    stocked({ a: 9 });
  });

  it('scrolls into view on request', () => {
    stocked({});
    const scroll = vi.fn();
    page.querySelector('h2')!.scrollIntoView = scroll;
    fixture.componentInstance.show();
    expect(scroll).toHaveBeenCalledOnce();
    expect(document.activeElement).toBe(page.querySelector('h2'));
  });
});
