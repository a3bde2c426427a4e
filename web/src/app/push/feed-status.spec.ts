import { TestBed } from '@angular/core/testing';

import { FeedStatus } from './feed-status';
import { FEED_RUNTIME } from './feed-runtime';
import { seededRandom } from 'orderstream-client/testing/seeded-random';
import { ModelService } from 'orderstream-client/testing/model-service';

describe('The feed status in the header', () => {
  it('shows the state and the protocol', async () => {
    const service = new ModelService(seededRandom(1));
    TestBed.configureTestingModule({ providers: [{ provide: FEED_RUNTIME, useValue: service.runtime() }] });
    const fixture = TestBed.createComponent(FeedStatus);
    const text = (): string => (fixture.nativeElement as HTMLElement).textContent;
    await fixture.whenStable();
    expect(text()).toContain('Connecting');
    await service.advance(1000);
    await fixture.whenStable();
    expect(text()).toContain('Live');
    expect(text()).toContain('WebSocket'); // there are no locks here
    const said = (): unknown => (fixture.nativeElement as HTMLElement).querySelector('[role=status]')?.textContent;
    const isAway = (): boolean => (fixture.nativeElement as HTMLElement).classList.contains('away');
    service.delayedMs = 9_000;
    await service.advance(service.heartbeatMs);
    await fixture.whenStable();
    expect([said(), isAway()]).toEqual(['Delayed', true]);
    expect(text()).toMatch(/^Delayedfor \d+ s$/);
    service.delayedMs = null;
    await service.advance(service.heartbeatMs);
    await fixture.whenStable();
    expect([said(), isAway()]).toEqual(['Live, over WebSocket', false]);
  });
});
