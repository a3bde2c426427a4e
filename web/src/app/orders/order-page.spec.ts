import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { ComponentFixture, TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';
import { Subject } from 'rxjs';

import { EventId } from 'orderstream-client';

import { Order } from '../api/orders';
import { Feed, Received } from '../push/feed';
import { Role } from '../sign-in/person';
import { signedInAs } from '../sign-in/session.testing';
import { texts } from '../texts';
import { notification, order, received, saga, time } from './facts.testing';
import { OrderPage } from './order-page';
import { OrderWatch } from './order-watch';

const events = new Subject<Received>();
const recent = signal<readonly Received[]>([]);
const beginnings = signal(0);
const position = signal<EventId | null>(null);
const CLOSED: Order = order({ status: 'CLOSED', updatedAt: '2026-11-22T10:00:00.058000Z' });

describe('OrderPage', () => {
  let fixture: ComponentFixture<OrderPage>;
  let page: HTMLElement;
  let server: HttpTestingController;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    beginnings.set(1);
    position.set(null);
    await open('operator');
  });

  async function open(role: Role): Promise<void> {
    TestBed.resetTestingModule();
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        provideRouter([]),
        signedInAs(role),
        { provide: Feed, useValue: { events, recent, beginnings, position } },
      ],
    });
    server = TestBed.inject(HttpTestingController);
    fixture = TestBed.createComponent(OrderPage);
    fixture.componentRef.setInput('id', '7');
    page = fixture.nativeElement as HTMLElement;
    await drawn();
  }

  afterEach(() => {
    fixture.destroy();
    vi.useRealTimers();
  });

  async function drawn(): Promise<void> {
    fixture.detectChanges();
    await Promise.resolve();
    fixture.detectChanges();
  }

  /** Lets a resource take its answer, which takes some turns. */
  async function settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await drawn();
  }

  async function answer(
    found: Order,
    sagas = [saga({ STARTED: 20 })],
    history = [notification('CREATED', 0, 30)],
  ): Promise<void> {
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).flush(found, { headers: { ETag: '"1"' } });
    server.expectOne((sent) => sent.url.includes('/sagas?orderId=7&')).flush({ sagas });
    server.expectOne((sent) => sent.url.includes('/notifications?orderId=7')).flush({ notifications: history });
    nothingBeside();
    await drawn();
  }

  /** Answers that the outboxes and the inventory have nothing. */
  function nothingBeside(): void {
    const isBeside = (url: string): boolean => /\/events|\/stock-operations/.test(url);
    for (const sent of server.match(({ url }) => isBeside(url))) sent.flush({ events: [], operations: [] });
  }

  function hop(id: string): HTMLElement {
    const found = page.querySelector<HTMLElement>(`[data-hop="${id}"]`);
    if (found === null) throw new Error(`there is no hop ${id}`);
    return found;
  }

  it('keeps nothing of a feed that started anew, and reads again', async () => {
    await answer(CLOSED);
    events.next(received(notification('CLOSED', 50), 65));
    await drawn();
    await answer(CLOSED);
    expect(hop('CLOSED-v1-push').className).toContain('done');
    beginnings.set(2);
    await drawn();
    await answer(CLOSED);
    expect(hop('CLOSED-v1-push').className).not.toContain('done');
  });

  it('draws again when the feed passes a notification of the order, not at those of others', async () => {
    position.set({ epoch: 'e', seq: 4 });
    await answer(order(), [], [notification('CREATED', 0, 30, { id: 'e-5' })]);
    const { facts } = fixture.debugElement.injector.get(OrderWatch);
    const drawnBefore = facts();
    position.set({ epoch: 'e', seq: 3 });
    expect(facts()).toBe(drawnBefore);
    expect(hop('CREATED-v1-push').className).not.toContain('done');
    position.set({ epoch: 'e', seq: 5 });
    await drawn();
    expect(hop('CREATED-v1-push').className).toContain('done');
    const drawnAfter = facts();
    position.set({ epoch: 'e', seq: 6 });
    expect(facts()).toBe(drawnAfter);
  });

  it('asks for no stock operations and shows no trace to customers, but the saga of their order', async () => {
    await open('customer');
    const history = [notification('CREATED', 0, 30), notification('CLOSED', 50, 60)];
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).flush(CLOSED, { headers: { ETag: '"1"' } });
    server.expectOne((sent) => sent.url.includes('/notifications?orderId=7')).flush({ notifications: history });
    server.expectOne((sent) => sent.url.includes('/order/events?orderId=7')).flush({ events: [] });
    const failure = { step: 'close order', at: time(45), seconds: 0.02, kind: 'unavailable', error: null } as const;
    const sagas = [saga({ STARTED: 20, STOCK_TAKEN: 30, DONE: 50 }, { attempts: 3, failedAttempts: [failure] })];
    server.expectOne((sent) => sent.url.includes('/sagas?orderId=7&')).flush({ sagas });
    server.expectOne((sent) => sent.url.endsWith('/sagas/7/events')).flush({ events: [] });
    await drawn();
    server.verify();
    const attempt = page.querySelector('[data-step^="v1-attempt-"]')!;
    expect(attempt.textContent).toContain('Failed attempt: close order');
    expect(attempt.textContent).toContain('+25 ms, 20 ms');
    expect([...attempt.querySelectorAll('.more p')].map((note) => note.textContent)).toEqual([
      texts.orders.waterfall.failures.unavailable,
    ]);
    expect(hop('v1-close').className).toContain('done');
    expect(page.querySelector('app-order-trace')).toBeNull();
    vi.advanceTimersByTime(60_000);
    server.verify(); // the order is settled: nothing is read again
  });

  it('has no editor for viewers', async () => {
    await open('viewer');
    await answer(order());
    expect(page.querySelector('app-order-editor')).toBeNull();
    expect(page.querySelector('app-saga-retry')).toBeNull();
    expect(page.querySelector('app-order-trace')).not.toBeNull();
  });

  it('says that the sign-in is needed, not that a service is away', async () => {
    for (const sent of server.match(() => true)) sent.flush(null, { status: 401, statusText: 'Unauthorized' });
    await drawn();
    const alerts = [...page.querySelectorAll('[role="alert"]')].map((each) => each.querySelector('p')?.textContent);
    expect(alerts).toEqual([texts.common.signInNeeded]);
  });

  it('shows a placeholder until the order is loaded', () => {
    expect(page.querySelector('h1')?.textContent).toContain('Order 7');
    expect(page.querySelectorAll('app-skeleton').length).toBeGreaterThan(0);
  });

  it('shows the sequence as a list of steps with times', async () => {
    await answer(order());
    expect(page.querySelector('app-skeleton')).toBeNull();
    expect(hop('v1-start').classList).toContain('done');
    expect(hop('v1-start').textContent).toContain('+20 ms');
    expect(hop('v1-take').classList).toContain('active');
    expect(hop('v1-take').textContent).toContain('from Processing to Inventory');
    expect(page.querySelectorAll('app-journey-view ol > li')).toHaveLength(12);
    expect(page.querySelectorAll('app-waterfall-view ol > li')).toHaveLength(12);
  });

  it('shows what an outbox has of the order, on demand', async () => {
    const event = {
      ...{ id: 'e', key: 'order-created:7:1', type: 'order-created', subject: '7', queue: 'processing-queue' },
      ...{
        traceId: 'a'.repeat(32),
        occurredAt: time(0),
        storedAt: time(0),
        sentAt: time(8),
        setAside: false,
        attempts: 2,
      },
    };
    server.expectOne((sent) => sent.url.includes('/order/events?orderId=7')).flush({ events: [event] });
    server.expectOne((sent) => sent.url.includes('/stock-operations?prefix=7%3A')).flush({ operations: [] });
    await answer(order());
    const step = page.querySelector('[data-step="CREATED-v1-announce-processing-queue"]')!;
    expect(step.textContent).toContain('In the outbox, for processing-queue');
    expect(step.textContent).toContain('+0.0 ms, 8.0 ms');
    expect(step.textContent).toContain('2 attempts.');
    expect(step.querySelector('pre')).toBeNull();
    const button = step.querySelector('button')!;
    button.click();
    fixture.detectChanges();
    expect(button.getAttribute('aria-expanded')).toBe('true');
    expect(step.querySelector('pre')?.textContent).toContain('"key": "order-created:7:1"');
    const asked = (): TestRequest => server.expectOne((sent) => sent.url.includes('?orderId=7&event=e&data=true'));
    asked().flush({}, { status: 503, statusText: 'Service Unavailable' });
    await settled();
    expect(step.querySelector('[role=alert]')?.textContent).toContain('The order service is unavailable.');
    step.querySelector<HTMLButtonElement>('app-notice button')!.click();
    await settled();
    const data = { orderItems: [{ productId: '123', quantity: 2 }] };
    asked().flush({ events: [{ ...event, data }] });
    await settled();
    expect(JSON.parse(step.querySelector('pre')!.textContent)).toEqual({ ...event, data });
    expect(step.querySelector('[role=alert], [role=status]')).toBeNull();
  });

  it('shows when each failed attempt was, and why it failed', async () => {
    const failure = { step: 'take stock', at: time(2020), seconds: 2, kind: 'outcome-unknown' } as const;
    const attempts = [{ ...failure, error: '<b>no answer</b>' }];
    await answer(order(), [saga({ STARTED: 20 }, { attempts: 1, lastError: 'no answer', failedAttempts: attempts })]);
    const attempt = page.querySelector<HTMLElement>(`[data-step="v1-attempt-${failure.at}"]`)!;
    expect([...attempt.querySelectorAll('.more p')].map((note) => note.textContent)).toEqual([
      texts.orders.waterfall.failures['outcome-unknown'],
      '<b>no answer</b>',
    ]);
    expect(attempt.querySelector('.label')?.textContent).toContain(texts.orders.waterfall.failed);
    expect(attempt.querySelector('.times')?.textContent).toBe('+20 ms, 2.00 s');
    expect(attempt.querySelector('.bar')).not.toBeNull();
  });

  it('has a step that waits retried by an operator', async () => {
    await answer(order(), [saga({ STARTED: 20 }, { lastError: 'take stock: no answer', attempts: 3 })]);
    const retry = page.querySelector('app-saga-retry')!;
    expect(retry.textContent).toContain('take stock: no answer');
    for (const text of ['Retry now', 'Yes, retry']) {
      [...retry.querySelectorAll('button')].find((each) => each.textContent.trim() === text)?.click();
      fixture.detectChanges();
    }
    server.expectOne((sent) => sent.method === 'POST' && sent.url.endsWith('/sagas/7/retry')).flush({ sagas: [] });
    await settled();
    await answer(CLOSED, [saga({ STARTED: 20, STOCK_TAKEN: 40, DONE: 60 })]);
    expect(retry.querySelector('[role=status]')?.textContent).toContain('is due now');
    expect(retry.querySelector('button')).toBeNull();
  });

  it('reads again until the outbox says that the event was sent', async () => {
    const event = { id: 'e', key: 'order-created:7:1', type: 'order-created', subject: '7', queue: 'processing-queue' };
    const times = { traceId: null, occurredAt: time(0), storedAt: time(0), setAside: false, attempts: 1 };
    const sent = (sentAt: string | null): void =>
      server
        .expectOne((each) => each.url.includes('/order/events?orderId=7'))
        .flush({ events: [{ ...event, ...times, sentAt }] });
    const ended = [saga({ STARTED: 20, STOCK_TAKEN: 40, DONE: 60 })];
    const history = [notification('CREATED', 0, 30), notification('CLOSED', 61, 90)];
    sent(null);
    await answer(CLOSED, ended, history);
    vi.advanceTimersByTime(2000);
    sent(time(70));
    await answer(CLOSED, ended, history);
    vi.advanceTimersByTime(60_000);
    server.expectNone(() => true);
  });

  it('reads again at a push about this order and updates the steps', async () => {
    await answer(order());
    events.next(received(notification('CREATED', 0, undefined, { orderId: 8 }), 60));
    server.expectNone((sent) => sent.url.includes('/orders/'));
    events.next(received(notification('CLOSED', 61), 95));
    await drawn();
    expect(hop('CLOSED-v1-push').textContent).toContain('over SSE');
    await answer(
      CLOSED,
      [saga({ STARTED: 20, STOCK_TAKEN: 40, DONE: 60 })],
      [notification('CREATED', 0, 30), notification('CLOSED', 61, 90)],
    );
    expect(page.querySelectorAll('li.active, li.pending')).toHaveLength(0);
    expect(page.textContent).toContain('closed after 58 ms');
    vi.advanceTimersByTime(60_000);
    server.expectNone(() => true);
  });

  it.each([
    ['an answer that was read before', order(), true],
    ['the answer to a change that comes after what came of it', CLOSED, false],
  ])('does not go back by %s', async (_, read, isBefore) => {
    await answer(order());
    vi.advanceTimersByTime(2000);
    const changed = order({ version: 2, updatedAt: time(40) });
    const request = server.expectOne((sent) => sent.url.endsWith('/orders/7'));
    const steps = [
      (): unknown => request.cancelled || request.flush(read),
      (): void => fixture.debugElement.injector.get(OrderWatch).changed({ order: changed, etag: '"2"' }),
    ];
    for (const step of isBefore ? steps.reverse() : steps) step();
    await drawn();
    expect(page.textContent).toContain(isBefore ? 'version 2' : 'closed after 58 ms');
  });

  it('polls while the order is open', async () => {
    await answer(order());
    vi.advanceTimersByTime(2000);
    await answer(CLOSED);
    expect(page.querySelector('app-status-badge')?.textContent).toContain('Closed');
  });

  it('pauses while the page is hidden and reads at once when visible', async () => {
    await answer(order());
    const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    events.next(received(notification('CLOSED', 61), 95));
    vi.advanceTimersByTime(60_000);
    server.expectNone(() => true);
    hidden.mockReturnValue(false);
    document.dispatchEvent(new Event('visibilitychange'));
    await answer(CLOSED);
    expect(page.querySelector('app-status-badge')?.textContent).toContain('Closed');
    hidden.mockRestore();
  });

  it('polls until a service recovers, even for a settled order', async () => {
    await answer(order());
    events.next(received(notification('CLOSED', 61), 95));
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).error(new ProgressEvent('error'));
    server
      .expectOne((sent) => sent.url.includes('/sagas?orderId=7&'))
      .flush({ sagas: [saga({ STARTED: 20, STOCK_TAKEN: 40, DONE: 60 })] });
    const history = [notification('CREATED', 0, 30), notification('CLOSED', 61, 90)];
    server.expectOne((sent) => sent.url.includes('/notifications')).flush({ notifications: history });
    nothingBeside();
    await drawn();
    expect(page.querySelector('[role=alert]')).not.toBeNull();
    vi.advanceTimersByTime(2000);
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).flush(CLOSED);
    await drawn();
    expect(page.querySelector('[role=alert]')).toBeNull();
  });

  it('names the unreachable service and shows the rest', async () => {
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).flush(order());
    server.expectOne((sent) => sent.url.includes('/sagas?orderId=7&')).error(new ProgressEvent('error'));
    server
      .expectOne((sent) => sent.url.includes('/notifications'))
      .flush({}, { status: 503, statusText: 'Service Unavailable' });
    await drawn();
    nothingBeside();
    await drawn();
    const alert = page.querySelector('[role=alert]')?.textContent ?? '';
    expect(alert).toContain(texts.orders.order.unreachable('processing service and notification service'));
    expect(hop('v1-save').classList).toContain('done');
    expect(hop('v1-take').classList).toContain('unknown');
    expect(page.querySelector('app-skeleton')).toBeNull();
  });

  it.each([500, 422, 429])('says what a service answered, and not that it is unavailable: %i', async (status) => {
    for (const sent of server.match(() => true)) {
      sent.flush({ title: 'Too Many Requests' }, { status, statusText: 'Refused' });
    }
    await drawn();
    const alerts = [...page.querySelectorAll('[role="alert"]')].map((each) => each.querySelector('p')?.textContent);
    expect(alerts).toEqual(['Too Many Requests']);
  });

  it('says that an order is gone that it showed', async () => {
    await answer(order());
    vi.advanceTimersByTime(2000);
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).flush({}, { status: 404, statusText: 'Not Found' });
    for (const sent of server.match(() => true))
      sent.flush({ sagas: [], notifications: [], events: [], operations: [] });
    await drawn();
    expect(page.textContent).toContain(texts.orders.order.notFound('7'));
    expect(page.querySelector('app-status-badge, app-order-editor')).toBeNull();
    vi.advanceTimersByTime(60_000);
    server.expectNone(() => true);
  });

  it('reports a missing order and stops polling', async () => {
    server.expectOne((sent) => sent.url.endsWith('/orders/7')).flush({}, { status: 404, statusText: 'Not Found' });
    server.expectOne((sent) => sent.url.includes('/sagas?orderId=7&')).flush({ sagas: [] });
    server.expectOne((sent) => sent.url.includes('/notifications')).flush({ notifications: [] });
    nothingBeside();
    await drawn();
    expect(page.textContent).toContain(texts.orders.order.notFound('7'));
    vi.advanceTimersByTime(60_000);
    server.expectNone(() => true);
  });

  it('rejects invalid ids, and follows the order before no longer', async () => {
    await answer(order());
    fixture.componentRef.setInput('id', 'seven');
    await drawn();
    expect(page.textContent).toContain(texts.orders.order.notFound('seven'));
    expect(page.querySelector('app-status-badge')).toBeNull();
    vi.advanceTimersByTime(60_000);
    beginnings.set(2);
    await drawn();
    document.dispatchEvent(new Event('visibilitychange'));
    server.expectNone(() => true);
  });

  it('clears one order when it shows another', async () => {
    await answer(order());
    fixture.componentRef.setInput('id', '8');
    await drawn();
    expect(page.querySelector('app-status-badge')).toBeNull();
    server.expectOne((sent) => sent.url.endsWith('/orders/8')).flush(order({ id: 8 }));
    await drawn();
    expect(page.querySelector('h1')?.textContent).toContain('Order 8');
  });

  it('shows the trace and the commands that find it', async () => {
    await answer(order());
    const trace = 'a'.repeat(32);
    expect(page.querySelector('app-order-trace')?.textContent).toContain(`grep -hE '${trace}' data/logs`);
    expect(page.querySelector('app-order-trace')?.textContent).toContain(`filter traceId in ["${trace}"]`);
  });

  it('inserts texts of a server as text', async () => {
    await answer(order({ status: 'FAILED', failureReason: '<img src=x onerror=alert(1)>' }));
    expect(page.querySelector('img')).toBeNull();
    expect(page.textContent).toContain('<img src=x');
  });
});
