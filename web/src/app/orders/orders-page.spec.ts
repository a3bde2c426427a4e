import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { ComponentFixture, TestBed } from '@angular/core/testing';
import { ActivatedRoute, ParamMap, Params, Router, convertToParamMap, provideRouter } from '@angular/router';
import { BehaviorSubject, Subject } from 'rxjs';

import { Order } from '../api/orders';
import { Feed, FeedState, Received } from '../push/feed';
import { texts } from '../texts';
import { notification, order, received } from './facts.testing';
import { OrdersPage } from './orders-page';

const labels = texts.orders.list;

describe('OrdersPage', () => {
  let fixture: ComponentFixture<OrdersPage>;
  let page: HTMLElement;
  let server: HttpTestingController;
  const events = new Subject<Received>();
  const state = signal<FeedState>('live');
  const beginnings = signal(1);
  const queryParamMap = new BehaviorSubject<ParamMap>(convertToParamMap({}));

  function goTo(query: Params): void {
    queryParamMap.next(convertToParamMap(query));
    fixture.detectChanges();
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    state.set('live');
    beginnings.set(1);
    queryParamMap.next(convertToParamMap({}));
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        provideRouter([]),
        { provide: Feed, useValue: { events, state, beginnings } },
        { provide: ActivatedRoute, useValue: { queryParamMap } },
      ],
    });
    server = TestBed.inject(HttpTestingController);
    fixture = TestBed.createComponent(OrdersPage);
    page = fixture.nativeElement as HTMLElement;
    fixture.detectChanges();
  });

  afterEach(() => {
    fixture.destroy();
    vi.useRealTimers();
  });

  function asked(query = ''): TestRequest {
    return server.expectOne((sent) => sent.url.endsWith(`/orders?${query}limit=50`));
  }

  function answer(numbers: readonly number[], next: number | null = null, members: Partial<Order> = {}): void {
    asked().flush({ orders: numbers.map((id) => order({ id, ...members })), next });
    fixture.detectChanges();
  }

  function names(): string[] {
    return [...page.querySelectorAll('tbody th')].map((each) => each.textContent.trim());
  }

  function later(ms: number): void {
    vi.advanceTimersByTime(ms);
    fixture.detectChanges();
  }

  it('shows the orders, newest first, each with a link', () => {
    expect(page.querySelector('app-skeleton')).not.toBeNull();
    answer([9, 8]);
    expect(names()).toEqual(['Order 9', 'Order 8']);
    expect(page.querySelector('tbody a')?.getAttribute('href')).toBe('/orders/9');
    expect(page.querySelector('tbody')?.textContent).toContain('2 × 123');
    expect(page.querySelector('app-skeleton')).toBeNull();
  });

  it('shows older orders on request', () => {
    answer([9, 8], 8);
    page.querySelector<HTMLButtonElement>('.more')?.click();
    asked('after=8&').flush({ orders: [order({ id: 7 })], next: null });
    fixture.detectChanges();
    expect(names()).toEqual(['Order 9', 'Order 8', 'Order 7']);
    expect(page.querySelector('.more')).toBeNull();
  });

  it('updates a status at once from a push', () => {
    answer([9]);
    events.next(received(notification('CLOSED', 60, undefined, { orderId: 9 }), 60));
    fixture.detectChanges();
    expect(page.querySelector('tbody app-status-badge')?.textContent).toContain('Closed');
  });

  it.each([
    ['the first orders', '', () => undefined],
    ['older orders', 'after=9&', () => page.querySelector<HTMLButtonElement>('.more')?.click()],
  ])('shows no order as open that ended while %s were read', (_, query, read) => {
    if (query !== '') answer([9], 9);
    read();
    const request = asked(query);
    events.next(received(notification('CLOSED', 60, undefined, { orderId: 8 }), 60));
    request.flush({ orders: [order({ id: 8 })], next: null });
    fixture.detectChanges();
    expect(page.querySelector('tbody tr:last-child app-status-badge')?.textContent).toContain('Closed');
  });

  const FIRST = Array.from({ length: 50 }, (_, index) => 100 - index);

  it('keeps the rows that the older orders follow, while these are read', () => {
    answer(FIRST, 51);
    page.querySelector<HTMLButtonElement>('.more')?.click();
    const older = asked('after=51&');
    events.next(received(notification('CREATED', 0, undefined, { orderId: 101 }), 1));
    later(1000);
    answer([101, ...FIRST.slice(0, -1)], 52);
    older.flush({ orders: [order({ id: 50 })], next: null });
    fixture.detectChanges();
    expect(names()).toEqual([101, ...FIRST, 50].map((id) => `Order ${id.toString()}`));
  });

  it('adds no older orders to a first page that they do not follow', () => {
    answer([9, 8], 8);
    page.querySelector<HTMLButtonElement>('.more')?.click();
    const older = asked('after=8&');
    page.querySelector<HTMLInputElement>('input[type=checkbox]')?.click();
    page.querySelector<HTMLInputElement>('input[type=checkbox]')?.click();
    answer([30, 29], 29);
    older.flush({ orders: [order({ id: 7 })], next: null });
    fixture.detectChanges();
    expect(names()).toEqual(['Order 30', 'Order 29']);
    page.querySelector<HTMLButtonElement>('.more')?.click();
    asked('after=29&').flush({ orders: [order({ id: 28 })], next: null });
    fixture.detectChanges();
    expect(names()).toEqual(['Order 30', 'Order 29', 'Order 28']);
  });

  it('says that older orders could not be loaded, not that the list is out of date', () => {
    answer([9, 8], 8);
    page.querySelector<HTMLButtonElement>('.more')?.click();
    asked('after=8&').error(new ProgressEvent('error'));
    fixture.detectChanges();
    expect(page.querySelector('[role=alert]')?.textContent).toContain(labels.failed);
  });

  it('shows no rows from before the feed started anew', () => {
    answer([9, 8], 8);
    page.querySelector<HTMLButtonElement>('.more')?.click();
    asked('after=8&').flush({ orders: [order({ id: 7, status: 'CLOSED' })], next: null });
    fixture.detectChanges();
    expect(names()).toEqual(['Order 9', 'Order 8', 'Order 7']);
    beginnings.set(2);
    fixture.detectChanges();
    answer([9, 8], 8);
    expect(names()).toEqual(['Order 9', 'Order 8']);
  });

  it('reads once for many pushes and shows new orders', () => {
    answer([9]);
    for (let id = 10; id < 60; id += 1)
      events.next(received(notification('CREATED', 0, undefined, { orderId: id }), 1));
    server.expectNone(() => true);
    later(1000);
    answer([10, 9]);
    expect(names()).toEqual(['Order 10', 'Order 9']);
  });

  function changed(id: number): TestRequest {
    events.next(received(notification('UPDATED', 0, undefined, { orderId: id, version: 2 }), 1));
    later(1000);
    answer([9], 9);
    return asked(`number=${id.toString()}&`);
  }

  it('reads a changed order again that is beyond the first page', () => {
    answer([9], 9);
    page.querySelector<HTMLButtonElement>('.more')?.click();
    asked('after=9&').flush({ orders: [order({ id: 8 })], next: null });
    const orderItems = [{ id: 1, productId: 'saw', quantity: 5 }];
    changed(8).flush({ orders: [order({ id: 8, version: 2, orderItems })], next: null });
    fixture.detectChanges();
    expect(page.querySelector('tbody tr:last-child')?.textContent).toContain('5 × saw');
    later(15_000);
    answer([9], 9);
    server.verify();
  });

  it('says that a changed order could not be read, until it is', () => {
    answer([9], 9);
    page.querySelector<HTMLButtonElement>('.more')?.click();
    asked('after=9&').flush({ orders: [order({ id: 8 })], next: null });
    changed(8).error(new ProgressEvent('error'));
    fixture.detectChanges();
    expect(page.querySelector('[role=alert]')?.textContent).toContain(labels.stale);
    later(15_000);
    answer([9], 9);
    asked('number=8&').flush({ orders: [], next: null });
    fixture.detectChanges();
    expect(page.querySelector('[role=alert]')).toBeNull();
    expect(names()).toEqual(['Order 9']);
  });

  it('completes a slow read and reads once more', () => {
    answer([9]);
    events.next(received(notification('CREATED', 0, undefined, { orderId: 10 }), 1));
    later(1000);
    const slow = asked();
    events.next(received(notification('CREATED', 0, undefined, { orderId: 11 }), 1));
    later(3000);
    expect(slow.cancelled).toBe(false);
    slow.flush({ orders: [order({ id: 10 }), order({ id: 9 })], next: null });
    later(1000);
    answer([11, 10, 9]);
    expect(names()).toEqual(['Order 11', 'Order 10', 'Order 9']);
  });

  it('only counts new orders when following is off', () => {
    answer([9]);
    page.querySelector<HTMLInputElement>('input[type=checkbox]')?.click();
    fixture.detectChanges();
    events.next(received(notification('CREATED', 0, undefined, { orderId: 10 }), 1));
    later(1000);
    answer([10, 9]);
    expect(names()).toEqual(['Order 9']);
    const show = page.querySelector<HTMLButtonElement>('.news button');
    expect(show?.textContent).toContain(labels.fresh(1, false));
    show?.click();
    answer([10, 9]);
    expect(names()).toEqual(['Order 10', 'Order 9']);
  });

  it('polls without pushes', () => {
    answer([9]);
    state.set('waiting');
    later(1000);
    answer([9]);
    later(6000);
    answer([10, 9]);
    expect(names()).toEqual(['Order 10', 'Order 9']);
  });

  it('says when it was read, and reads again while no push comes', () => {
    const asOf = (): Element | null => page.querySelector('app-as-of');
    answer([9]);
    expect(asOf()?.textContent).toBe('As of 0 s ago');
    later(15_000);
    const frozen = asked();
    later(6_000);
    expect(asOf()?.textContent).toBe('As of 21 s ago');
    expect(asOf()?.classList).toContain('old');
    frozen.flush({ orders: [order({ id: 9 })], next: null });
    fixture.detectChanges();
    expect(asOf()?.textContent).toBe('As of 0 s ago');
  });

  it('filters by the status in the URL', () => {
    answer([9]);
    goTo({ status: 'FAILED' });
    asked('status=FAILED&').flush({ orders: [], next: null });
    fixture.detectChanges();
    expect(page.textContent).toContain(labels.noMatch);
  });

  it.each([
    [{ status: 'NONSENSE' }, 'Status “NONSENSE”'],
    [{ trace: 'nonsense', product: 'mug' }, 'Trace id “nonsense”'],
    [{ customer: ['alice', 'bob'] }, 'Customer'],
    [{ state: 'CLOSED' }, 'state'],
  ])('lists nothing for what is no filter, as %j, and says so', (query, named) => {
    answer([9]);
    goTo(query);
    events.next(received(notification('CREATED', 0, undefined, { orderId: 10 }), 1));
    later(60_000);
    server.expectNone(() => true);
    expect(names()).toEqual([]);
    expect(page.querySelector('[role=alert]')?.textContent).toContain(`Not understood: ${named}`);
    goTo({});
    answer([9]);
    expect(names()).toEqual(['Order 9']);
  });

  it.each([
    [{ status: 'nope', product: 'mug' }, 'nope'],
    [{ from: '2026-02-31T10:00', product: 'mug' }, '2026-02-31T10:00'],
  ])('names what of the URL no field can show, as %j, and finds without it', (query, unknown) => {
    answer([9]);
    const navigate = vi.spyOn(TestBed.inject(Router), 'navigate').mockResolvedValue(true);
    goTo(query);
    expect(page.querySelector('app-criteria-form')?.textContent).toContain(`“${unknown}” is unknown.`);
    const marked = page.querySelector('app-criteria-form [aria-invalid=true]');
    expect(page.querySelector(`#${marked?.getAttribute('aria-describedby') ?? ''}`)?.textContent).toContain(unknown);
    page.querySelector<HTMLButtonElement>('button[type=submit]')?.click();
    expect(navigate).toHaveBeenCalledWith(['/orders'], { queryParams: { product: 'mug' } });
  });

  it('finds by the criteria in the URL, and shows them', () => {
    answer([9]);
    goTo({ product: 'mug', customer: 'alice' });
    asked('product=mug&customer=alice&').flush({ orders: [order({ id: 3, customerId: 'alice' })], next: null });
    fixture.detectChanges();
    expect(page.querySelector('tbody')?.textContent).toContain('alice');
    expect([...page.querySelectorAll('form input')].map((each) => (each as HTMLInputElement).value)).toEqual([
      '',
      'mug',
      'alice',
      '',
      '',
      '',
    ]);
  });

  it('puts what is typed into the URL', () => {
    answer([9]);
    const navigate = vi.spyOn(TestBed.inject(Router), 'navigate').mockResolvedValue(true);
    const [, product, , trace] = page.querySelectorAll<HTMLInputElement>('form input');
    const type = (input: HTMLInputElement | undefined, text: string): void => {
      input!.value = text;
      input!.dispatchEvent(new Event('input'));
      fixture.detectChanges();
    };
    type(trace, 'no trace');
    page.querySelector('form')?.dispatchEvent(new Event('submit'));
    expect(navigate).not.toHaveBeenCalled();
    type(trace, '');
    type(product, ' mug ');
    page.querySelector('form')?.dispatchEvent(new Event('submit'));
    expect(navigate).toHaveBeenCalledWith(['/orders'], { queryParams: { product: 'mug' } });
  });

  it('reads on when the first pages have no match', () => {
    answer([9]);
    goTo({ product: 'mug' });
    asked('product=mug&').flush({ orders: [], next: 500 });
    asked('product=mug&after=500&').flush({ orders: [], next: 400 });
    asked('product=mug&after=400&').flush({ orders: [order({ id: 399 })], next: null });
    fixture.detectChanges();
    expect(names()).toEqual(['Order 399']);
    expect(page.querySelector('.more')).toBeNull();
  });

  it('does not format again what is unchanged', () => {
    answer([9, 8]);
    const format = vi.spyOn(texts.orders, 'at');
    events.next(received(notification('CLOSED', 60, undefined, { orderId: 8 }), 60));
    fixture.detectChanges();
    later(1000);
    asked().flush({ orders: [order({ id: 9 }), order({ id: 8, status: 'CLOSED' })], next: null });
    fixture.detectChanges();
    expect(format.mock.calls.length).toBeLessThanOrEqual(2);
    format.mockRestore();
  });

  it('shows an empty list', () => {
    answer([]);
    expect(page.textContent).toContain(labels.none);
  });

  it('reports an unreachable service, keeps the list and retries', () => {
    asked().error(new ProgressEvent('error'));
    fixture.detectChanges();
    expect(page.querySelector('[role=alert]')?.textContent).toContain(labels.failed);
    expect(page.querySelector('app-skeleton')).toBeNull();
    page.querySelector<HTMLButtonElement>('[role=alert] button')?.click();
    answer([9]);
    expect(page.querySelector('[role=alert]')).toBeNull();
    events.next(received(notification('CREATED', 0), 1));
    later(1000);
    asked().flush({}, { status: 503, statusText: 'Service Unavailable' });
    fixture.detectChanges();
    expect(page.querySelector('[role=alert]')?.textContent).toContain(labels.stale);
    expect(names()).toEqual(['Order 9']);
  });
});
