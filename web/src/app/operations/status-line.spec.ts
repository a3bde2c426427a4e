import { TestBed } from '@angular/core/testing';

import { StatusLine } from './status-line';
import { Finding, Level } from './findings';

async function shown(level: Level | null, findings: readonly Finding[] = []): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(StatusLine);
  fixture.componentRef.setInput('level', level);
  fixture.componentRef.setInput('findings', findings);
  fixture.componentRef.setInput('at', null);
  await fixture.whenStable();
  return fixture.nativeElement as HTMLElement;
}

describe('StatusLine', () => {
  it('shows a healthy system', async () => {
    expect((await shown('ok')).textContent).toContain('Healthy');
  });

  it('has no level before all processes were polled', async () => {
    const text = (await shown(null)).textContent;
    expect(text).toContain('Checking all services');
    expect(text).not.toContain('Healthy');
  });

  it('shows and announces findings', async () => {
    const page = await shown('bad', [
      { level: 'bad', kind: 'dead-letters', queue: 'processing-queue-dlq', number: 2 },
      { level: 'warn', kind: 'late-sagas', late: 1, seconds: 42 },
    ]);
    const announced = page.querySelector('[role=status]')?.textContent;
    expect(page.querySelector('ul')?.textContent).toContain('2 messages in processing-queue-dlq.');
    expect(announced).toContain('2 messages in processing-queue-dlq.');
    expect(announced).toContain('1 order is late, the oldest saga has been open for 42 s.');
  });

  it('does not announce changed values', async () => {
    const fixture = TestBed.createComponent(StatusLine);
    const page = fixture.nativeElement as HTMLElement;
    const spoken = async (findings: readonly Finding[]): Promise<string | null | undefined> => {
      fixture.componentRef.setInput('level', 'warn');
      fixture.componentRef.setInput('findings', findings);
      fixture.componentRef.setInput('at', null);
      await fixture.whenStable();
      return page.querySelector('[role=status]')?.textContent;
    };
    const late: Finding = { level: 'warn', kind: 'late-sagas', late: 1, seconds: 42 };
    const first = await spoken([late]);
    expect(await spoken([{ ...late, seconds: 47 }])).toBe(first);
    expect(page.querySelector('ul')?.textContent).toContain('47 s');
    expect(await spoken([{ ...late, level: 'bad', seconds: 400 }])).toContain('7 min');
  });
});
