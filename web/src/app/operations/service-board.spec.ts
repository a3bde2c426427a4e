import { TestBed } from '@angular/core/testing';

import { Replica } from '../api/metrics';
import { BoardReplica, ServiceBoard } from './service-board';
import { dependenciesOf } from './dependencies';
import { parseExposition } from './exposition';

function replica(service: Replica['service'], number = 1, of = 1): Replica {
  return { service, number, of, address: 'http://x', balanced: false };
}

async function shown(replicas: readonly BoardReplica[]): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(ServiceBoard);
  fixture.componentRef.setInput('replicas', replicas);
  fixture.componentRef.setInput('dependencies', dependenciesOf(replicas));
  fixture.componentRef.setInput('at', 3_600_000);
  await fixture.whenStable();
  return fixture.nativeElement as HTMLElement;
}

describe('ServiceBoard', () => {
  it('names failing checks', async () => {
    const page = await shown([
      {
        replica: replica('order'),
        state: 'not-ready',
        readiness: { ready: false, checks: { database: 'ok', 'processing-queue': 'no answer within 1 s' } },
        error: null,
      },
    ]);
    expect(page.textContent).toContain('Not ready');
    const cards = [...page.querySelectorAll('.card')].map((card) => card.textContent);
    expect(cards[0]).toContain('Waits for SQS.');
    expect(cards[0]).not.toContain('database');
    expect(cards[4]).toMatch(/PostgreSQL\s*Ready\s*Reached by order service\./);
    expect(cards[5]).toMatch(/SQS\s*Unavailable\s*Order service: no answer within 1 s/);
  });

  it('shows each replica by its number', async () => {
    const page = await shown([
      {
        replica: replica('notification', 1, 2),
        state: 'ready',
        readiness: { ready: true, checks: { database: 'ok' } },
        error: null,
      },
      { replica: replica('notification', 2, 2), state: 'unreachable', readiness: null, error: null },
    ]);
    const cards = [...page.querySelectorAll('.card')].map((card) => card.textContent);
    expect(cards[3]).toMatch(/Ready\s*Replica 1\s*1 check passes\s*Can’t be reached\s*Replica 2\s*No response\./);
  });

  it('mentions a load balancer', async () => {
    const behind: Replica = { ...replica('order'), balanced: true };
    const page = await shown([{ replica: behind, state: 'unknown', readiness: null, error: null }]);
    expect(page.textContent).toContain('A load balancer answers');
  });

  it('tells how long a process is up, and its version', async () => {
    const page = await shown([
      {
        replica: replica('order'),
        state: 'ready',
        readiness: { ready: true, checks: { edge: 'ok' }, version: '1.2.3' },
        error: null,
        metrics: parseExposition('process_start_time_seconds 1800\n'),
      },
    ]);
    expect(page.textContent).toContain('Up 30 min, since');
    expect(page.textContent).toContain('Version 1.2.3');
  });
});
