import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { ComponentFixture, TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';

import { Notification } from '../push/feed';
import { FEED_RUNTIME } from '../push/feed-runtime';
import { seededRandom } from 'orderstream-client/testing/seeded-random';
import { notificationAt } from 'orderstream-client/testing/notifications';
import { ModelService } from 'orderstream-client/testing/model-service';
import { texts } from '../texts';
import { LivePage } from './live-page';

describe('The live page', () => {
  let service: ModelService;
  let fixture: ComponentFixture<LivePage>;
  let page: HTMLElement;
  let server: HttpTestingController;

  beforeEach(async () => {
    service = new ModelService(seededRandom(1));
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        provideRouter([]),
        { provide: FEED_RUNTIME, useValue: service.runtime() },
      ],
    });
    server = TestBed.inject(HttpTestingController);
    fixture = TestBed.createComponent(LivePage);
    page = fixture.nativeElement as HTMLElement;
  });

  /** The page is connected, and the history has nothing. */
  async function connected(): Promise<void> {
    await passes(1000);
    await answer();
  }

  async function answer(notifications: readonly Notification[] = []): Promise<void> {
    const history = server.expectOne((sent) => sent.url.includes('/notifications?order=desc'));
    history.flush({ notifications, next: null, head: 'a-0', reset: false });
    await passes(0);
  }

  async function passes(durationMs: number): Promise<void> {
    await service.advance(durationMs);
    await fixture.whenStable();
  }

  function all(selector: string): HTMLElement[] {
    return [...page.querySelectorAll<HTMLElement>(selector)];
  }

  function text(selector: string): string {
    return page.querySelector(selector)?.textContent.trim() ?? '';
  }

  function press(label: string): void {
    all('button')
      .find((each) => each.textContent.trim() === label)
      ?.click();
  }

  function write(filterText: string): void {
    const field = page.querySelector<HTMLInputElement>('input[type=search]')!;
    field.value = filterText;
    field.dispatchEvent(new Event('input'));
  }

  const orders = (): string[] => all('[data-testid=notification] a').map((each) => each.textContent);

  it('shows an empty feed once the history is read', async () => {
    const isEmpty = (): boolean => page.textContent.includes(texts.live.feed.empty);
    await fixture.whenStable();
    expect([page.querySelector('app-skeleton') !== null, isEmpty()]).toEqual([true, false]);
    await passes(1000);
    expect([page.querySelector('app-skeleton') !== null, isEmpty()]).toEqual([true, false]);
    await answer();
    expect([page.querySelector('app-skeleton') !== null, isEmpty()]).toEqual([false, true]);
  });

  it('does not say that there are none when the history can’t be read', async () => {
    await passes(1000);
    const history = server.expectOne((sent) => sent.url.includes('/notifications'));
    history.flush({}, { status: 500, statusText: 'Internal Server Error' });
    await passes(0);
    const notices = all('app-notice').map((each) => each.querySelector('p')?.textContent.trim());
    expect(notices).toEqual([texts.live.feed.historyFailed]);
  });

  it('says of an invalid filter alone that it is one', async () => {
    await connected();
    write('two');
    await passes(0);
    expect(text('#filter-hint')).toBe(texts.live.feed.filterWrong);
    expect(all('app-notice, app-skeleton')).toEqual([]);
  });

  it('filters while paused, which ends', async () => {
    await connected();
    service.append(3);
    await passes(0);
    press(texts.live.feed.pause);
    await passes(0);
    write('2');
    await passes(0);
    await answer();
    expect(orders()).toEqual(['Order 2']);
    expect(page.textContent).not.toContain('Paused');
  });

  it('pauses when there is something to keep, not before the history is read', async () => {
    await passes(1000);
    press(texts.live.feed.pause);
    await answer([notificationAt({ epoch: 'a', seq: 0 }, 9, 1_000_000)]);
    expect(page.querySelector('[data-testid=recorded]')).not.toBeNull();
    expect(page.textContent).not.toContain('Paused');
    press(texts.live.feed.pause);
    service.append(2);
    await passes(0);
    expect(page.textContent).toContain(texts.live.feed.paused(2));
  });

  it('shows new notifications first, each with a link to its order', async () => {
    await connected();
    service.append(2);
    await passes(0);
    expect(orders()).toEqual(['Order 2', 'Order 1']);
    expect(page.querySelector('[data-testid=notification] a')?.getAttribute('href')).toBe('/orders/2');
    expect(text('[data-testid=count-received]')).toBe('2');
  });

  it('shows a bounded number of rows', async () => {
    await connected();
    service.append(130);
    await passes(0);
    expect(orders()).toHaveLength(100);
    expect(page.textContent).toContain(texts.live.feed.shown(100, 130));
  });

  it('filters by order, and shows the address of a filtered stream', async () => {
    await connected();
    service.append(5);
    write('2, 4');
    await passes(0);
    await answer();
    expect(orders()).toEqual(['Order 4', 'Order 2']);
    expect(text('#filter-hint')).toContain('/stream?orderId=2&orderId=4');
    write('77');
    await passes(0);
    await answer();
    expect(text('app-notice')).toBe(texts.live.feed.emptyFiltered);
  });

  it('reports an invalid filter and shows all orders', async () => {
    await connected();
    service.append(1);
    write('two');
    await passes(0);
    expect(text('#filter-hint')).toBe(texts.live.feed.filterWrong);
    expect(page.querySelector('input[type=search]')?.getAttribute('aria-invalid')).toBe('true');
    expect(orders()).toEqual(['Order 1']);
  });

  it('keeps the list while paused, and counts new notifications', async () => {
    await connected();
    service.append(1);
    await passes(0);
    press(texts.live.feed.pause);
    service.append(2);
    await passes(0);
    expect(orders()).toEqual(['Order 1']);
    expect(page.textContent).toContain(texts.live.feed.paused(2));
    press(texts.live.feed.resume);
    await passes(0);
    expect(orders()).toEqual(['Order 3', 'Order 2', 'Order 1']);
  });

  it('switches the protocol and shows the state of the connection', async () => {
    await connected();
    expect(text('[data-testid=feed-state]')).toBe(texts.live.connection.states.live);
    page.querySelector<HTMLInputElement>('input[value=sse]')?.click();
    await passes(1000);
    expect([...service.clients].map((each) => each.protocol)).toEqual(['sse']);
    service.up = false;
    service.cut();
    await passes(0);
    expect(text('[data-testid=feed-state]')).toBe(texts.live.connection.states.waiting);
  });

  it('opens both protocols only while they are shown side by side', async () => {
    await connected();
    press(texts.live.views.compare);
    await passes(0);
    await passes(1000);
    expect([...service.clients].map((each) => each.protocol).sort()).toEqual(['sse', 'ws', 'ws']);
    service.append(3);
    await passes(300);
    expect(all('[data-testid=pairs] tbody tr')).toHaveLength(3);
    expect(text('[data-testid=column-difference] dd')).toBe('3');
    expect(text('[data-testid=column-ws]')).toContain('300');
    press(texts.live.views.feed);
    await passes(0);
    expect(service.clients.size).toBe(1);
  });
});
