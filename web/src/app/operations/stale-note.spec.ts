import { TestBed } from '@angular/core/testing';

import { Service } from '../api/endpoints';
import { StaleNote } from './stale-note';
import { timeOfDay } from './words';

async function shown(silent: ReadonlyMap<Service, number | null>): Promise<string> {
  const fixture = TestBed.createComponent(StaleNote);
  fixture.componentRef.setInput('silent', silent);
  fixture.componentRef.setInput('of', ['order', 'processing']);
  await fixture.whenStable();
  return (fixture.nativeElement as HTMLElement).textContent ?? '';
}

describe('StaleNote', () => {
  it('says nothing while everybody tells', async () => {
    expect((await shown(new Map([['notification', 1]]))).trim()).toBe('');
  });

  it('says who is silent, and of when the numbers are', async () => {
    const at = Date.UTC(2026, 10, 22, 10, 0, 0);
    const text = await shown(
      new Map<Service, number | null>([
        ['order', at],
        ['processing', null],
      ]),
    );
    expect(text).toContain(`The order service does not tell its numbers. These are of ${timeOfDay(at)}.`);
    expect(text).toContain('The processing service does not tell its numbers.');
  });
});
