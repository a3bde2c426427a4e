import { TestBed } from '@angular/core/testing';

import { QueueStats } from './stats';
import { QueuePanel } from './queue-panel';

const QUEUE: QueueStats = {
  queue: 'processing-queue',
  service: 'processing',
  deadLetters: false,
  visible: 3,
  inFlight: 2,
  delayed: 1,
  ageSeconds: 2,
};

async function shown(...queues: readonly QueueStats[]): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(QueuePanel);
  fixture.componentRef.setInput('queues', queues);
  await fixture.whenStable();
  return fixture.nativeElement as HTMLElement;
}

describe('QueuePanel', () => {
  it('has a row for each queue', async () => {
    const page = await shown(QUEUE, { ...QUEUE, queue: 'processing-queue-dlq', deadLetters: true, visible: 1 });
    const rows = [...page.querySelectorAll('tbody tr')].map((row) => row.textContent?.replace(/\s+/g, ' ').trim());
    expect(rows[0]).toMatch(/processing-queue ?3 ?2 ?1/);
    expect(rows[1]).toContain('dead letters');
    expect(page.querySelectorAll('td.bad').length).toBe(1);
  });

  it('marks stale depths', async () => {
    expect((await shown({ ...QUEUE, ageSeconds: 40 })).textContent).toContain('as of 40 s ago');
  });

  it('reports missing queues', async () => {
    expect((await shown()).textContent).toContain('No service reports a queue.');
  });
});
