import { TestBed } from '@angular/core/testing';

import { FeedDot } from './feed-dot';
import { FEED_WORLD } from './feed-world';
import { chance } from './testing/chance';
import { ModelService } from './testing/model-service';

describe('The dot in the header', () => {
  it('says in words whether news arrive, and over what', async () => {
    const service = new ModelService(chance(1));
    TestBed.configureTestingModule({ providers: [{ provide: FEED_WORLD, useValue: service.world() }] });
    const fixture = TestBed.createComponent(FeedDot);
    const text = (): string => (fixture.nativeElement as HTMLElement).textContent;
    await fixture.whenStable();
    expect(text()).toContain('Connecting');
    await service.pass(1000);
    await fixture.whenStable();
    expect(text()).toContain('Live');
    expect(text()).toContain('SSE');
  });
});
