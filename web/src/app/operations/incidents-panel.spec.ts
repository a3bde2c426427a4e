import { TestBed } from '@angular/core/testing';

import { Alarm, alarmsOf } from './causes';
import { Finding } from './findings';
import { Log } from './incidents';
import { IncidentsPanel } from './incidents-panel';
import { timeOfDay } from './labels';

const T = new Date(2026, 0, 1, 14, 3).getTime();
const BACKLOG: Finding = { level: 'bad', kind: 'backlog', queue: 'q', service: 'processing', number: 1500 };
const LOG: Log = {
  since: T,
  at: T + 60_000,
  incidents: [{ cause: BACKLOG, from: T + 5000, until: null }],
  starts: [],
  effects: {},
};

async function shown(alarms: readonly Alarm[]): Promise<string | undefined> {
  const fixture = TestBed.createComponent(IncidentsPanel);
  fixture.componentRef.setInput('log', LOG);
  fixture.componentRef.setInput('alarms', alarms);
  await fixture.whenStable();
  return (fixture.nativeElement as HTMLElement).querySelector('li')?.textContent;
}

describe('IncidentsPanel', () => {
  it('says of a running incident what it is now, not at its worst', async () => {
    const now = alarmsOf([{ ...BACKLOG, level: 'warn', number: 200 }]);
    expect(await shown(now)).toBe(`since ${timeOfDay(T + 5000)}: 200 messages wait in q.`);
  });

  it('says what it was until that is known', async () => {
    expect(await shown([])).toBe(`since ${timeOfDay(T + 5000)}: Backlog in q.`);
  });
});
