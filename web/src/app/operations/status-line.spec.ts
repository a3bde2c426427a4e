import { TestBed } from '@angular/core/testing';

import { StatusLine } from './status-line';
import { alarmsOf } from './causes';
import { Finding, Level } from './findings';
import { Log } from './incidents';

const REPLICA = { service: 'processing', number: 1, of: 1, address: 'http://p', balanced: false } as const;
const AWAY: Finding = { level: 'bad', kind: 'unreachable', replica: REPLICA, failing: [] };
const T = new Date(2026, 0, 1, 14, 3).getTime();
const QUIET: Log = { since: T, at: T + 60_000, incidents: [], starts: [], effects: {} };

async function shown(
  level: Level | null,
  findings: readonly Finding[] = [],
  log: Log | null = null,
  at: number | null = null,
): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(StatusLine);
  fixture.componentRef.setInput('level', level);
  fixture.componentRef.setInput('alarms', alarmsOf(findings));
  fixture.componentRef.setInput('log', log);
  fixture.componentRef.setInput('at', at);
  await fixture.whenStable();
  return fixture.nativeElement as HTMLElement;
}

describe('StatusLine', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: QUIET.at }));
  afterEach(() => vi.useRealTimers());

  it('shows a healthy system', async () => {
    expect((await shown('ok', [], QUIET)).textContent).toContain('Healthy, watched since 14:03:00');
  });

  it('remembers what was down, and from when to when', async () => {
    const incidents = [{ cause: AWAY, from: T, until: T + 45_000 }];
    const page = await shown('ok', [], { ...QUIET, since: T - 60_000, incidents });
    expect(page.textContent).toContain('Healthy since 14:03:45');
    expect(page.textContent).toContain('14:03:00–14:03:45, 45 s: Processing service could not be reached.');
  });

  it('does not take a log from before a gap for the present', async () => {
    const incidents = [
      { cause: AWAY, from: T, until: T + 5000 },
      { cause: AWAY, from: T + 30_000, until: null },
    ];
    const later = QUIET.at + 3600_000;
    expect((await shown('ok', [], QUIET, later)).querySelector('.headline')?.textContent).toBe('Healthy');
    const page = await shown('bad', [AWAY], { ...QUIET, incidents }, later);
    expect(page.textContent).not.toContain('ince ');
    expect(page.querySelector('.past')).toBeNull();
  });

  it('remembers a restart that no poll has seen', async () => {
    const starts = [{ replica: REPLICA, at: T + 30_000, again: true }];
    const page = await shown('ok', [], { ...QUIET, starts });
    expect(page.textContent).toContain('Healthy since 14:03:30');
    expect(page.textContent).toContain('Processing service was restarted at 14:03:30.');
  });

  it('names what was last, be it an incident or a restart', async () => {
    const incidents = [0, 1, 2].map((n) => ({ cause: AWAY, from: T + n * 10_000, until: T + n * 10_000 + 5000 }));
    const starts = [{ replica: REPLICA, at: T + 30_000, again: true }];
    const page = await shown('ok', [], { ...QUIET, incidents, starts });
    const named = [...page.querySelectorAll('.past > li')].map((each) => each.textContent);
    expect(named[0]).toBe('Processing service was restarted at 14:03:30.');
    expect(named[1]).toContain('14:03:20–14:03:25');
  });

  it('names one cause, since when, and who suffers', async () => {
    const findings: readonly Finding[] = [
      { level: 'warn', kind: 'backlog', queue: 'processing-queue', service: 'processing', number: 200 },
      AWAY,
      { level: 'warn', kind: 'late-sagas', late: 3, seconds: 42 },
    ];
    const log = { ...QUIET, since: T - 60_000, incidents: [{ cause: AWAY, from: T, until: null }] };
    const page = await shown('bad', findings, log);
    const lines = [...page.querySelectorAll('.alarms > li')].map((each) => each.textContent);
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain(
      'Processing service can’t be reached. Since 14:03:00. Affected: processing-queue and 3 late orders.',
    );
    expect(lines[0]).toContain('2 consequences');
  });

  it('does not take its first look for the begin', async () => {
    const page = await shown('bad', [AWAY], { ...QUIET, incidents: [{ cause: AWAY, from: T, until: null }] });
    expect(page.textContent).toContain('Since before 14:03:00.');
  });

  it('has no level before all processes were polled', async () => {
    const text = (await shown(null)).textContent;
    expect(text).toContain('Checking all services');
    expect(text).not.toContain('Healthy');
  });

  it('names the services without metrics, and is not checking for ever', async () => {
    const fixture = TestBed.createComponent(StatusLine);
    const page = fixture.nativeElement as HTMLElement;
    for (const [name, value] of Object.entries({ level: null, alarms: [], log: null, at: null })) {
      fixture.componentRef.setInput(name, value);
    }
    await fixture.whenStable();
    expect(page.querySelector('[role=status]')?.textContent).toBe('Checking all services');
    fixture.componentRef.setInput('stale', new Map([['order', null]]));
    await fixture.whenStable();
    expect(page.textContent).not.toContain('Checking');
    expect(page.textContent).toContain('The order service returns no metrics.');
    expect(page.querySelector('[role=status]')?.textContent).toBe('Partly unknown');
  });

  it('shows and announces findings', async () => {
    const page = await shown('bad', [
      { level: 'bad', kind: 'dead-letters', queue: 'processing-queue-dlq', service: 'processing', number: 2 },
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
      fixture.componentRef.setInput('alarms', alarmsOf(findings));
      fixture.componentRef.setInput('log', null);
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
