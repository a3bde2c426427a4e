import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { ComponentFixture, TestBed } from '@angular/core/testing';

import { texts } from '../texts';
import { StockPanel } from './stock-panel';

const PRODUCT = { productId: 'mug', stock: 40, version: 7, lastUpdate: '' };

describe('StockPanel', () => {
  let fixture: ComponentFixture<StockPanel>;
  let page: HTMLElement;
  let server: HttpTestingController;

  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
    fixture = TestBed.createComponent(StockPanel);
    page = fixture.nativeElement as HTMLElement;
    fixture.detectChanges();
  });

  afterEach(() => server.verify());

  /** The continuations of the answered requests run in microtasks. */
  async function drawn(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    await fixture.whenStable();
  }

  async function type(id: string, value: string): Promise<void> {
    const field = page.querySelector<HTMLInputElement>(id)!;
    field.value = value;
    field.dispatchEvent(new Event('input'));
    await drawn();
  }

  async function submit(form: number): Promise<void> {
    page.querySelectorAll('form')[form]?.dispatchEvent(new Event('submit'));
    await drawn();
  }

  async function find(answer: object | null, status = 200): Promise<void> {
    await type('#stock-product', ' mug ');
    await submit(0);
    const headers = { ETag: 'W/"7"' };
    server.expectOne((sent) => sent.url.endsWith('/inventory/mug')).flush(answer, { status, statusText: '-', headers });
    await drawn();
  }

  it('sets the stock of the version that is shown', async () => {
    await find(PRODUCT);
    expect(page.querySelector<HTMLInputElement>('#stock-count')?.value).toBe('40');
    await type('#stock-count', '0');
    await submit(1);
    const sent = server.expectOne((each) => each.method === 'PUT');
    expect(sent.request.headers.get('If-Match')).toBe('"7"');
    expect(sent.request.body).toEqual({ stock: 0 });
    sent.flush({ ...PRODUCT, stock: 0, version: 8 });
    await drawn();
    expect(page.querySelector('[role="status"]')?.textContent).toBe('The stock of mug was set to 0.');
  });

  it('shows the current stock when it was changed meanwhile', async () => {
    await find(PRODUCT);
    await type('#stock-count', '5');
    await submit(1);
    server.expectOne((each) => each.method === 'PUT').flush(null, { status: 412, statusText: 'Precondition Failed' });
    await drawn();
    server.expectOne((each) => each.method === 'GET').flush({ ...PRODUCT, stock: 33, version: 9 });
    await drawn();
    expect(page.querySelector('[role="alert"]')?.textContent).toContain(texts.operations.stock.stale);
    expect(page.querySelector<HTMLInputElement>('#stock-count')?.value).toBe('33');
  });

  it('adds a product that does not exist', async () => {
    await find(null, 404);
    expect(page.textContent).toContain('There is no product mug.');
    await type('#stock-count', '3');
    await submit(1);
    const sent = server.expectOne((each) => each.method === 'POST');
    expect(sent.request.body).toEqual({ productId: 'mug', stock: 3 });
    sent.flush({ ...PRODUCT, stock: 3, version: 1 });
    await drawn();
    expect(page.textContent).toContain('Stock of mug');
  });

  it.each(['-1', '1.5', 'x', '2147483648'])('does not send %s', async (typed) => {
    await find(PRODUCT);
    await type('#stock-count', typed);
    await submit(1);
    expect(page.querySelector<HTMLButtonElement>('form + form button')?.disabled).toBe(true);
  });

  it('says what the account may not do, and that the service is away', async () => {
    for (const [status, text] of [
      [403, texts.common.forbidden],
      [503, texts.common.unreachable(texts.common.services.inventory)],
    ] as const) {
      await find(null, status);
      expect(page.querySelector('[role="alert"]')?.textContent).toContain(text);
    }
  });
});
