import { TestBed } from '@angular/core/testing';

import { Feed } from './feed';
import { FEED_RUNTIME } from './feed-runtime';
import { seededRandom } from 'orderstream-client/testing/seeded-random';
import { ModelService } from 'orderstream-client/testing/model-service';

describe('The feed', () => {
  let service: ModelService;
  let feed: Feed;

  beforeEach(async () => {
    service = new ModelService(seededRandom(1));
    TestBed.configureTestingModule({ providers: [{ provide: FEED_RUNTIME, useValue: service.runtime() }] });
    feed = TestBed.inject(Feed);
    await service.advance(1000);
  });

  it('emits notifications and exposes its state', () => {
    const received: number[] = [];
    const subscription = feed.events.subscribe((each) => received.push(each.notification.orderId));
    service.append(2);
    subscription.unsubscribe();
    expect(received).toEqual([1, 2]);
    expect(feed.recent().map((each) => each.notification.orderId)).toEqual([2, 1]);
    expect(feed.state()).toBe('live');
    expect(feed.counts().received).toBe(2);
    expect(feed.leader()).toBe(true);
  });

  it('keeps its position while nothing comes', async () => {
    service.append(2);
    const before = feed.position();
    await service.advance(30_000);
    expect(feed.position()).toBe(before);
  });

  it('updates recent before it emits', () => {
    let shown = 0;
    const subscription = feed.events.subscribe(() => (shown = feed.recent().length));
    service.append(1);
    subscription.unsubscribe();
    expect(shown).toBe(1);
  });

  it('switches the protocol', async () => {
    feed.use('ws');
    expect(feed.protocol()).toBe('ws');
    await service.advance(1000);
    service.append(1);
    expect(feed.recent()[0]?.protocol).toBe('ws');
  });

  it('follows the browser offline and online', async () => {
    service.up = false;
    dispatchEvent(new Event('offline'));
    expect(feed.state()).toBe('offline');
    service.up = true;
    dispatchEvent(new Event('online'));
    await service.advance(1000);
    expect(feed.state()).toBe('live');
  });

  it('closes the connection with the page', async () => {
    TestBed.resetTestingModule();
    await service.advance(100);
    expect(service.clients.size).toBe(0);
  });
});
