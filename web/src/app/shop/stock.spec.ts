import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Subject } from 'rxjs';

import { Product } from '../api/inventory';
import { Feed, Notification, Received } from '../push/feed';
import { EVERY_MS, GATHER_MS, MAX_PAGES, Stock } from './stock';

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

  it('reads page by page until there is none', () => {
    const stock = TestBed.inject(Stock);
    expect(stock.catalogue()).toBeNull();
    answer([product('a', 1)], 'a');
    answer([product('b', 2)]);
    expect(stocks(stock)).toEqual([1, 2]);
    expect(stock.catalogue()?.complete).toBe(true);
    expect(stock.readAt()).toBe(Date.now());
  });

  it('stops reading an endless catalogue, and knows that it did', () => {
    const stock = TestBed.inject(Stock);
    for (let page = 0; page < MAX_PAGES; page++) answer([product(`p${page.toString()}`)], `p${page.toString()}`);
    expect(stock.catalogue()).toMatchObject({ complete: false });
    expect(stock.reading()).toBe(false);
  });

  it('reads again every 15 s, but not for a page that nobody sees', () => {
    const stock = started();
    vi.advanceTimersByTime(EVERY_MS);
    answer([product('a', 4, 2)]);
    expect(stocks(stock)).toEqual([4]);
    visibility = 'hidden';
    vi.advanceTimersByTime(10 * EVERY_MS);
    server.expectNone(() => true);
  });

  it.each(['focus', 'online'])('reads again at “%s” of the window', (event) => {
    started();
    window.dispatchEvent(new Event(event));
    vi.advanceTimersByTime(0);
    answer([]);
  });

  it('reads again once when the page is seen again, whatever events tell it', () => {
    visibility = 'hidden';
    started();
    visibility = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    window.dispatchEvent(new Event('focus'));
    vi.advanceTimersByTime(0);
    answer([]);
  });

  it('reads once for a crowd of news, also when they never end', () => {
    started();
    for (let passed = 0; passed < 4 * GATHER_MS; passed += 100) {
      news.next(received('CLOSED'));
      vi.advanceTimersByTime(100);
      if (passed % GATHER_MS === GATHER_MS - 100) answer([product('a')]);
    }
  });

  it('does not read for a new order, which has taken nothing yet', () => {
    started();
    news.next(received('CREATED'));
    vi.advanceTimersByTime(GATHER_MS);
    server.expectNone(() => true);
  });

  it('asks for the followed products alone when there are many', () => {
    const many = Array.from({ length: 150 }, (_, at) => product(`p${at.toString().padStart(3, '0')}`));
    const stock = started(many);
    stock.follow(signal(['p001', 'p002']));
    stock.follow(signal(['p002', 'p149']));
    news.next(received('CLOSED'));
    vi.advanceTimersByTime(GATHER_MS);
    const call = asked();
    expect(call.request.url).toMatch(/\?productId=p001&productId=p002&productId=p149$/);
    call.flush({ items: [product('p001', 1, 2), product('p002')], next: null });
    expect(stock.catalogue()?.products[1]).toMatchObject({ stock: 1, changedBy: -4 });
    expect(stock.catalogue()?.products).toHaveLength(149);
  });

  it('asks one thing at a time, and once more when it was told to meanwhile', () => {
    const stock = TestBed.inject(Stock);
    stock.refresh();
    stock.refresh();
    news.next(received('FAILED'));
    vi.advanceTimersByTime(GATHER_MS);
    answer([product('a', 3)]);
    answer([product('a', 2, 2)]);
    expect(stocks(stock)).toEqual([2]);
  });

  it('keeps the old numbers and their time when the service is away, and recovers', () => {
    const stock = started([product('a', 5)]);
    const readAt = stock.readAt();
    vi.advanceTimersByTime(EVERY_MS);
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

  it('asks for nothing any more when the page is left', () => {
    const stock = TestBed.inject(Stock);
    stock.refresh();
    const call = asked();
    TestBed.resetTestingModule();
    expect(call.cancelled).toBe(true);
    news.next(received('CLOSED'));
    vi.advanceTimersByTime(2 * EVERY_MS);
    expect(vi.getTimerCount()).toBe(0);
  });
});
