import { TestBed } from '@angular/core/testing';

import { Replica } from '../api/metrics';
import { ServiceBoard } from './service-board';
import { ReplicaHealth } from './findings';

function replica(service: Replica['service'], number = 1, of = 1): Replica {
  return { service, number, of, address: 'http://x', balanced: false };
}

async function shown(replicas: readonly ReplicaHealth[]): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(ServiceBoard);
  fixture.componentRef.setInput('replicas', replicas);
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
    expect(page.textContent).toContain('processing-queue: no answer within 1 s');
    expect(page.textContent).not.toContain('database');
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
});
