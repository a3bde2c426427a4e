import { TestBed } from '@angular/core/testing';

import { Feed } from './feed';
import { FEED_WORLD } from './feed-world';
import { chance } from './testing/chance';
import { ModelService } from './testing/model-service';

describe('The feed', () => {
  let service: ModelService;
  let feed: Feed;

  beforeEach(async () => {
    service = new ModelService(chance(1));
    TestBed.configureTestingModule({ providers: [{ provide: FEED_WORLD, useValue: service.world() }] });
    feed = TestBed.inject(Feed);
    await service.pass(1000);
  });

  it('tells pages what comes, and how it is', () => {
    const heard: number[] = [];
    const subscription = feed.events.subscribe((each) => heard.push(each.notification.orderId));
    service.append(2);
    subscription.unsubscribe();
    expect(heard).toEqual([1, 2]);
    expect(feed.recent().map((each) => each.notification.orderId)).toEqual([2, 1]);
    expect(feed.state()).toBe('live');
    expect(feed.counts().received).toBe(2);
    expect(feed.leader()).toBe(true);
  });

  it('shows what came to whoever is told of it', () => {
    let shown = 0;
    const subscription = feed.events.subscribe(() => (shown = feed.recent().length));
    service.append(1);
    subscription.unsubscribe();
    expect(shown).toBe(1);
  });

  it('switches', async () => {
    feed.use('ws');
    expect(feed.protocol()).toBe('ws');
    await service.pass(1000);
    service.append(1);
    expect(feed.recent()[0]?.protocol).toBe('ws');
  });

  it('follows the browser offline, and back', async () => {
    service.up = false;
    dispatchEvent(new Event('offline'));
    expect(feed.state()).toBe('offline');
    service.up = true;
    dispatchEvent(new Event('online'));
    await service.pass(1000);
    expect(feed.state()).toBe('live');
  });

  it('leaves with the page', async () => {
    TestBed.resetTestingModule();
    await service.pass(100);
    expect(service.clients.size).toBe(0);
  });
});
