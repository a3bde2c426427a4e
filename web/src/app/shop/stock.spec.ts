import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Subject } from 'rxjs';

import { Product } from '../api/inventory';
import { Feed, Notification, Received } from '../push/feed';
import { INTERVAL_MS, BATCH_MS, MAX_PAGES, Stock } from './stock';

const product = (productId: string, stock = 5, version = 1): Product => ({
  productId,
  stock,
  version,
  lastUpdate: '2026-11-22T10:13:18.044363Z',
});

const received = (kind: Notification['kind']): Received => ({
  notification: {
    id: 'e-1',
    type: 'order-processed',
    kind,
    orderId: 1,
    version: 1,
    message: '',
    occurredAt: '2026-11-22T10:13:18.044363Z',
    traceId: '',
  },
  receivedAt: 0,
  protocol: 'sse',
});

describe('Stock', () => {
  let news: Subject<Received>;
  let server: HttpTestingController;
  let visibility: DocumentVisibilityState;

  beforeEach(() => {
    vi.useFakeTimers();
    visibility = 'visible';
    vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => visibility);
    news = new Subject();
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        Stock,
        { provide: Feed, useValue: { events: news } satisfies Partial<Feed> },
      ],
    });
    server = TestBed.inject(HttpTestingController);
  });

  afterEach(() => {
    server.verify();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  const asked = (): TestRequest => server.expectOne((sent) => sent.url.includes('/inventory?'));
  const answer = (items: readonly Product[], next: string | null = null): void => asked().flush({ items, next });
  const stocks = (stock: Stock): number[] | undefined => stock.catalogue()?.products.map((each) => each.stock);

  function started(items: readonly Product[] = [product('a')]): Stock {
    const stock = TestBed.inject(Stock);
    answer(items);
    return stock;
  }

  it('reads all pages', () => {
    const stock = TestBed.inject(Stock);
    expect(stock.catalogue()).toBeNull();
    answer([product('a', 1)], 'a');
    answer([product('b', 2)]);
    expect(stocks(stock)).toEqual([1, 2]);
    expect(stock.catalogue()?.complete).toBe(true);
    expect(stock.readAt()).toBe(Date.now());
  });

  it('limits the number of pages, and marks the catalogue as incomplete', () => {
    const stock = TestBed.inject(Stock);
    for (let page = 0; page < MAX_PAGES; page++) answer([product(`p${page.toString()}`)], `p${page.toString()}`);
    expect(stock.catalogue()).toMatchObject({ complete: false });
    expect(stock.reading()).toBe(false);
  });

  it('polls every 15 s while the page is visible', () => {
    const stock = started();
    vi.advanceTimersByTime(INTERVAL_MS);
    answer([product('a', 4, 2)]);
    expect(stocks(stock)).toEqual([4]);
    visibility = 'hidden';
    vi.advanceTimersByTime(10 * INTERVAL_MS);
    server.expectNone(() => true);
  });

  it.each(['focus', 'online'])('reads again at “%s” of the window', (event) => {
    started();
    window.dispatchEvent(new Event(event));
    vi.advanceTimersByTime(0);
    answer([]);
  });

  it('reads once when the page becomes visible, for several events', () => {
    visibility = 'hidden';
    started();
    visibility = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    window.dispatchEvent(new Event('focus'));
    vi.advanceTimersByTime(0);
    answer([]);
  });

  it('reads once for a burst of notifications, also for a continuous one', () => {
    started();
    for (let passed = 0; passed < 4 * BATCH_MS; passed += 100) {
      news.next(received('CLOSED'));
      vi.advanceTimersByTime(100);
      if (passed % BATCH_MS === BATCH_MS - 100) answer([product('a')]);
    }
  });

  it('does not read for a new order', () => {
    started();
    news.next(received('CREATED'));
    vi.advanceTimersByTime(BATCH_MS);
    server.expectNone(() => true);
  });

  it('reads only followed products of a large catalogue', () => {
    const many = Array.from({ length: 150 }, (_, at) => product(`p${at.toString().padStart(3, '0')}`));
    const stock = started(many);
    stock.follow(signal(['p001', 'p002']));
    stock.follow(signal(['p002', 'p149']));
    news.next(received('CLOSED'));
    vi.advanceTimersByTime(BATCH_MS);
    const call = asked();
    expect(call.request.url).toMatch(/\?productId=p001&productId=p002&productId=p149$/);
    call.flush({ items: [product('p001', 1, 2), product('p002')], next: null });
    expect(stock.catalogue()?.products[1]).toMatchObject({ stock: 1, changedBy: -4 });
    expect(stock.catalogue()?.products).toHaveLength(149);
  });

  it('reads all followed products, however many', () => {
    const many = Array.from({ length: 150 }, (_, at) => product(`p${at.toString().padStart(3, '0')}`));
    const stock = started(many);
    stock.follow(signal(many.map((each) => each.productId)));
    news.next(received('CLOSED'));
    vi.advanceTimersByTime(BATCH_MS);
    answer(many.slice(0, 100));
    const second = asked();
    expect(new URL(second.request.url).searchParams.getAll('productId')).toHaveLength(50);
    second.flush({ items: [...many.slice(100, 149), product('p149', 3, 2)], next: null });
    expect(stocks(stock)?.at(-1)).toBe(3);
  });

  it('reads one at a time, and once more after a refresh', () => {
    const stock = TestBed.inject(Stock);
    stock.refresh();
    stock.refresh();
    news.next(received('FAILED'));
    vi.advanceTimersByTime(BATCH_MS);
    answer([product('a', 3)]);
    answer([product('a', 2, 2)]);
    expect(stocks(stock)).toEqual([2]);
  });

  it('keeps the stock and its time while the service is unreachable, and recovers', () => {
    const stock = started([product('a', 5)]);
    const readAt = stock.readAt();
    vi.advanceTimersByTime(INTERVAL_MS);
    asked().error(new ProgressEvent('error'));
    expect(stock.problem()).toMatchObject({ service: 'inventory', status: 0 });
    expect(stocks(stock)).toEqual([5]);
    expect(stock.readAt()).toBe(readAt);
    expect(stock.reading()).toBe(false);
    stock.refresh();
    answer([product('a', 1, 2)]);
    expect(stock.problem()).toBeNull();
    expect(stock.readAt()).toBe(Date.now());
  });

  it('stops reading when the page is destroyed', () => {
    const stock = TestBed.inject(Stock);
    stock.refresh();
    const call = asked();
    TestBed.resetTestingModule();
    expect(call.cancelled).toBe(true);
    news.next(received('CLOSED'));
    vi.advanceTimersByTime(2 * INTERVAL_MS);
    expect(vi.getTimerCount()).toBe(0);
  });
});
