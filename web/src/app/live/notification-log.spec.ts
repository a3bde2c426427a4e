import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { ModelService } from 'orderstream-client/testing/model-service';
import { notificationAt } from 'orderstream-client/testing/notifications';
import { seededRandom } from 'orderstream-client/testing/seeded-random';

import { Feed } from '../push/feed';
import { FEED_RUNTIME } from '../push/feed-runtime';
import { LOG_LIMIT, NotificationLog } from './notification-log';

describe('The log of notifications', () => {
  let service: ModelService;
  let server: HttpTestingController;
  let log: NotificationLog;

  beforeEach(async () => {
    service = new ModelService(seededRandom(1));
    service.append(5);
    TestBed.configureTestingModule({
      providers: [
        NotificationLog,
        provideHttpClient(),
        provideHttpClientTesting(),
        { provide: FEED_RUNTIME, useValue: service.runtime() },
      ],
    });
    server = TestBed.inject(HttpTestingController);
    log = TestBed.inject(NotificationLog);
    TestBed.tick();
  });

  afterEach(() => server.verify());

  async function connected(): Promise<void> {
    await service.advance(1000);
    TestBed.tick();
  }

  function asked(): TestRequest {
    return server.expectOne((sent) => sent.url.includes('/notifications?order=desc'));
  }

  /** Answer with the notifications *from* down to *to*. */
  function answer(request: TestRequest, from: number, to: number, next: string | null = null, epoch = 'a'): void {
    const notifications = Array.from({ length: from - to + 1 }, (_, index) =>
      notificationAt({ epoch, seq: from - index }, from - index, 1_000_000),
    );
    request.flush({ notifications, next, head: 'a-0', reset: false });
  }

  const orders = (): number[] => log.entries().map((each) => each.notification.orderId);

  it('reads nothing before it is known where the feed is', () => {
    expect(orders()).toEqual([]);
  });

  it('has what was told before and what has come since, once and in order', async () => {
    await connected();
    const request = asked();
    // what is told while it is read comes from the feed alone
    expect(request.request.url).toContain('before=a-6');
    service.append(2);
    answer(request, 5, 3, 'a-3');
    expect(orders()).toEqual([7, 6, 5, 4, 3]);
    expect(log.entries().map((each) => each.received !== null)).toEqual([true, true, false, false, false]);
    expect(log.more()).toBe(true);
    log.readOlder();
    const older = asked();
    expect(older.request.url).toContain('before=a-3');
    answer(older, 2, 1);
    expect(orders()).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(log.more()).toBe(false);
  });

  it('says that the history can’t be read, and reads it again', async () => {
    await connected();
    asked().error(new ProgressEvent('error'));
    expect(log.problem()?.unreachable).toBe(true);
    service.append(1);
    expect(orders()).toEqual([6]);
    log.readOlder();
    answer(asked(), 6, 1);
    expect(log.problem()).toBeNull();
    expect(orders()).toEqual([6, 5, 4, 3, 2, 1]);
  });

  it('reads what could not be read once the service is back', async () => {
    await connected();
    service.up = false;
    service.cut();
    TestBed.tick();
    asked().error(new ProgressEvent('error'));
    service.up = true;
    await service.advance(60_000);
    TestBed.tick();
    answer(asked(), 5, 1);
    expect(log.problem()).toBeNull();
    expect(orders()).toEqual([5, 4, 3, 2, 1]);
  });

  it('reads the history of the orders that it is narrowed to', async () => {
    await connected();
    answer(asked(), 5, 1);
    service.append(2);
    log.filter(new Set([2, 7]));
    TestBed.tick();
    const request = asked();
    expect(request.request.url).toMatch(/orderId=2&orderId=7/);
    expect(request.request.url).toContain('before=a-7');
    answer(request, 2, 2);
    expect(orders()).toEqual([7, 2]);
    service.append(1);
    expect(orders()).toEqual([7, 2]);
  });

  it('begins anew with the feed, as when the data were deleted', async () => {
    await connected();
    answer(asked(), 5, 1);
    service.append(2);
    expect(orders()).toEqual([7, 6, 5, 4, 3, 2, 1]);
    service.restore(6);
    await service.advance(60_000);
    TestBed.tick();
    const request = asked();
    expect(request.request.url).not.toContain('before=a-');
    answer(request, 1, 1, null, 'ax');
    expect(log.entries().map((each) => each.notification.id)).toEqual(['ax-1']);
    expect(
      TestBed.inject(Feed)
        .recent()
        .map((each) => each.notification.id),
    ).toEqual(['ax-1']);
    service.append(1);
    expect(orders()).toEqual([8, 1]);
  });

  it('is bounded, and reads again what it let go', async () => {
    await connected();
    answer(asked(), 5, 1);
    expect(log.more()).toBe(false);
    service.append(LOG_LIMIT);
    expect(orders()).toHaveLength(LOG_LIMIT);
    expect(log.more()).toBe(true);
    log.readOlder();
    const request = asked();
    expect(request.request.url).toContain('before=a-6');
    service.append(2);
    answer(request, 5, 1);
    const all = Array.from({ length: LOG_LIMIT + 7 }, (_, index) => LOG_LIMIT + 7 - index);
    expect(orders()).toEqual(all);
    // what was read stays until as many new ones have come
    service.append(LOG_LIMIT);
    expect(orders()).toHaveLength(all.length + LOG_LIMIT);
    expect(orders().at(-1)).toBe(1);
    service.append(1);
    expect(orders()).toHaveLength(all.length + LOG_LIMIT);
    expect(orders().at(-1)).toBe(2);
  });
});
