import { TestBed } from '@angular/core/testing';

import { Service } from '../api/endpoints';
import { StaleNote } from './stale-note';
import { timeOfDay } from './labels';

async function shown(stale: ReadonlyMap<Service, number | null>): Promise<string> {
  const fixture = TestBed.createComponent(StaleNote);
  fixture.componentRef.setInput('stale', stale);
  fixture.componentRef.setInput('of', ['order', 'processing']);
  await fixture.whenStable();
  return (fixture.nativeElement as HTMLElement).textContent ?? '';
}

describe('StaleNote', () => {
  it('is empty with fresh metrics', async () => {
    expect((await shown(new Map([['notification', 1]]))).trim()).toBe('');
  });

  it('names services with stale metrics and their age', async () => {
    const at = Date.UTC(2026, 10, 22, 10, 0, 0);
    const text = await shown(
      new Map<Service, number | null>([
        ['order', at],
        ['processing', null],
      ]),
    );
    expect(text).toContain(`The order service returns no metrics. Values as of ${timeOfDay(at)}.`);
    expect(text).toContain('The processing service returns no metrics.');
  });
});
