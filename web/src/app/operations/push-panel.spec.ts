import { TestBed } from '@angular/core/testing';

import { PushStats } from './stats';
import { PushPanel } from './push-panel';

const PUSH: PushStats = {
  connections: [
    { protocol: 'sse', live: 3, catchingUp: 1, ending: 0 },
    { protocol: 'ws', live: 2, catchingUp: 0, ending: 1 },
  ],
  deliveries: 12_345,
  deliveriesPerSecond: 7.25,
  aborts: [{ name: 'stalled', total: 4, lastMinute: 1 }],
  refusals: [{ name: 'draining', total: 0, lastMinute: 0 }],
  resets: 0,
  lag: 0,
};

async function shown(push: PushStats | null): Promise<string> {
  const fixture = TestBed.createComponent(PushPanel);
  fixture.componentRef.setInput('push', push);
  await fixture.whenStable();
  return (fixture.nativeElement as HTMLElement).textContent?.replace(/\s+/g, ' ') ?? '';
}

describe('PushPanel', () => {
  it('has the connections by protocol and state', async () => {
    const text = await shown(PUSH);
    expect(text).toMatch(/SSE ?3 ?1 ?0/);
    expect(text).toMatch(/WebSocket ?2 ?0 ?1/);
  });

  it('has deliveries and the reasons of aborts and refusals', async () => {
    const text = await shown(PUSH);
    expect(text).toContain('12,345, 7.3 per second');
    expect(text).toMatch(/Connections aborted: write timeout ?4, 1 in the last minute/);
    expect(text).toMatch(/Connections refused ?none/);
  });

  it('does not say that nothing lags when that is not known', async () => {
    expect(await shown(PUSH)).toMatch(/Feed lag ?0 ?Resets/);
    expect(await shown({ ...PUSH, lag: null })).toMatch(/Feed lag ?– ?Resets/);
  });

  it('reports missing metrics', async () => {
    expect(await shown(null)).toContain('No notification service reports connections.');
  });
});
