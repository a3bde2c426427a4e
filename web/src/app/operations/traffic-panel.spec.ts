import { TestBed } from '@angular/core/testing';

import { RefusalStats } from './stats';
import { Traffic } from './traffic';
import { TrafficPanel } from './traffic-panel';

const NONE: RefusalStats = { orders: [], problems: [], limits: [], cut: [] };
const ORDER: Traffic = {
  service: 'order',
  requests: 0,
  failed: 0,
  refused: 0,
  limited: 0,
  statuses: [],
  p95Seconds: null,
};

async function shown(traffic: readonly Traffic[], refusals = NONE): Promise<string> {
  const fixture = TestBed.createComponent(TrafficPanel);
  fixture.componentRef.setInput('traffic', traffic);
  fixture.componentRef.setInput('refusals', refusals);
  await fixture.whenStable();
  return (fixture.nativeElement as HTMLElement).textContent;
}

describe('TrafficPanel', () => {
  it('says nothing of refusals and of the next poll when no metrics came', async () => {
    const text = await shown([]);
    expect(text).toContain('Known once a service has returned its metrics twice.');
    expect(text).not.toContain('None');
  });

  it('has the refusals from the first metrics on', async () => {
    const refusals = { ...NONE, orders: [{ name: '409', total: 3, lastMinute: 0 }] };
    expect(await shown([], refusals)).toContain('Order not placed: out of stock (409)');
  });

  it('says that no refusal is reported', async () => {
    expect(await shown([ORDER])).toContain('None reported since the services were started.');
  });
});
