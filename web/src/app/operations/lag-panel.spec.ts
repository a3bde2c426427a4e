import { TestBed } from '@angular/core/testing';

import { OutboxStats, SagaStats } from './stats';
import { LagPanel } from './lag-panel';

async function shown(outboxes: readonly OutboxStats[], sagas: SagaStats | null): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(LagPanel);
  fixture.componentRef.setInput('outboxes', outboxes);
  fixture.componentRef.setInput('sagas', sagas);
  await fixture.whenStable();
  return fixture.nativeElement as HTMLElement;
}

describe('LagPanel', () => {
  it('has the age of the oldest unsent event, if any', async () => {
    const page = await shown(
      [
        { service: 'order', current: true, pending: 3, oldestSeconds: 75 },
        { service: 'processing', current: true, pending: 0, oldestSeconds: 0 },
      ],
      null,
    );
    const cells = [...page.querySelectorAll('td')].map((cell) => cell.textContent);
    expect(cells).toEqual(['3', '75 s', '0', '–']);
    expect(page.querySelector('td.bad')?.textContent).toBe('75 s');
  });

  it('sums the open sagas and marks the late ones', async () => {
    const open = [
      { name: 'STARTED', total: 2, lastMinute: 0 },
      { name: 'RELEASING', total: 1, lastMinute: 0 },
    ];
    const page = await shown([], { current: true, open, late: 1, oldestSeconds: 31 });
    const cells = [...page.querySelectorAll('td')].map((cell) => cell.textContent);
    expect(cells).toEqual(['2', '1', '3', '31 s', '1']);
    expect(page.querySelectorAll('td.warn').length).toBe(2);
  });

  it('says nothing of tables that can’t be read now', async () => {
    const open = [{ name: 'STARTED', total: 2, lastMinute: 0 }];
    const page = await shown([{ service: 'order', current: false, pending: 3, oldestSeconds: 75 }], {
      ...{ current: false, open, late: 1, oldestSeconds: 31 },
    });
    const cells = [...page.querySelectorAll('td')].map((cell) => `${cell.className}${cell.textContent}`);
    expect(cells).toEqual(['–', '–', '–', '–', '–', '–']);
  });

  it('reports missing metrics', async () => {
    const text = (await shown([], null)).textContent;
    expect(text).toContain('No service reports an outbox.');
    expect(text).toContain('reports no sagas');
  });
});
