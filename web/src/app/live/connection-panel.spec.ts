import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { NO_COUNTS } from 'orderstream-client';

import { Feed, FeedState } from '../push/feed';
import { texts } from '../texts';
import { ConnectionPanel } from './connection-panel';

describe('The panel of the connection', () => {
  const labels = texts.live.connection;

  it.each<[FeedState, boolean, string]>([
    ['live', true, labels.leader],
    ['connecting', true, labels.leader],
    ['live', false, labels.follower],
    ['delayed', false, labels.follower],
    // it waits for the lock, or has left the connection and there may be no other tab
    ['connecting', false, '–'],
    ['waiting', false, '–'],
  ])('says whose the connection is: %s, %s', (state, leader, text) => {
    const feed = {
      ...{ state: signal(state), leader: signal(leader), alone: signal(false), protocol: signal('sse') },
      ...{ counts: signal(NO_COUNTS), heardAt: signal(null), delayedSince: signal(null) },
    };
    TestBed.configureTestingModule({ providers: [{ provide: Feed, useValue: feed }] });
    const fixture = TestBed.createComponent(ConnectionPanel);
    fixture.detectChanges();
    const page = fixture.nativeElement as HTMLElement;
    expect(page.querySelector('[data-testid=feed-leader]')?.textContent).toBe(text);
  });
});
