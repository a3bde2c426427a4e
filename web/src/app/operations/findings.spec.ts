import { Replica } from '../api/metrics';
import { SystemStats, QueueStats } from './stats';
import { Traffic } from './traffic';
import { Finding, ReplicaHealth, ReplicaState, THRESHOLDS, findingsOf, levelOf, overallLevel } from './findings';

const NOTHING: SystemStats = {
  queues: [],
  outboxes: [],
  sagas: null,
  push: null,
  traffic: [],
  saturation: [],
  refusals: { orders: [], problems: [], limits: [], cut: [] },
  circuits: [],
  failures: [],
  lostLines: [],
};
const PUSH = { connections: [], deliveries: 0, deliveriesPerSecond: 0, aborts: [], refusals: [], resets: 0, lag: 0 };

function replica(service: Replica['service'], number = 1, of = 1): Replica {
  return { service, number, of, address: `http://${service}:${number.toString()}`, balanced: false };
}

function health(of: Replica, state: ReplicaState, checks: Record<string, string> | null = null): ReplicaHealth {
  return { replica: of, state, readiness: checks && { ready: false, checks }, error: null };
}

function queue(stats: Partial<QueueStats>): QueueStats {
  return {
    queue: 'processing-queue',
    service: 'processing',
    deadLetters: false,
    visible: 0,
    inFlight: 0,
    delayed: 0,
    ageSeconds: 1,
    ...stats,
  };
}

function kinds(findings: readonly Finding[]): string[] {
  return findings.map((finding) => `${finding.kind} ${finding.level}`);
}

describe('levelOf', () => {
  it.each([
    [0, 'ok'],
    [99, 'ok'],
    [100, 'warn'],
    [999, 'warn'],
    [1000, 'bad'],
    [Infinity, 'bad'],
  ])('finds %d messages %s', (value, level) => {
    expect(levelOf(value, THRESHOLDS.backlog)).toBe(level);
  });
});

describe('findingsOf', () => {
  it('finds nothing in a healthy system', () => {
    const stats: SystemStats = {
      ...NOTHING,
      queues: [queue({ visible: 3, inFlight: 5 }), queue({ queue: 'dlq', deadLetters: true })],
      outboxes: [{ service: 'order', current: true, pending: 2, oldestSeconds: 0.4 }],
      sagas: { current: true, open: [], late: 0, oldestSeconds: 2 },
      push: PUSH,
      circuits: [{ service: 'order', client: 'inventory-service', state: 'half-open', unavailable: 0 }],
      failures: [{ name: 'order', total: 4, lastMinute: 0 }],
    };
    expect(findingsOf([health(replica('order'), 'ready')], stats)).toEqual([]);
  });

  it('is critical for a service without a ready replica, a warning for one of several', () => {
    const all = [
      health(replica('order'), 'unreachable'),
      health(replica('notification', 1, 2), 'ready'),
      health(replica('notification', 2, 2), 'unreachable'),
    ];
    expect(kinds(findingsOf(all, NOTHING))).toEqual(['unreachable bad', 'unreachable warn']);
  });

  it('names the failing checks', () => {
    const found = findingsOf([health(replica('order'), 'not-ready', { database: 'ok', relay: 'died' })], NOTHING);
    expect(found).toMatchObject([{ kind: 'not-ready', level: 'bad', failing: ['relay'] }]);
  });

  it('ignores processes that were not polled yet', () => {
    expect(findingsOf([health(replica('order'), 'unknown')], NOTHING)).toEqual([]);
  });

  it('reports every dead letter, also in flight', () => {
    const dead = { queue: 'dlq', deadLetters: true };
    expect(kinds(findingsOf([], { ...NOTHING, queues: [queue({ ...dead, visible: 1 })] }))).toEqual([
      'dead-letters bad',
    ]);
    expect(kinds(findingsOf([], { ...NOTHING, queues: [queue({ ...dead, inFlight: 1 })] }))).toEqual([
      'dead-letters bad',
    ]);
  });

  it('reports visible messages, not those in flight', () => {
    expect(findingsOf([], { ...NOTHING, queues: [queue({ inFlight: 500 })] })).toEqual([]);
    expect(kinds(findingsOf([], { ...NOTHING, queues: [queue({ visible: 500 })] }))).toEqual(['backlog warn']);
  });

  it('reports stale depths in one finding', () => {
    const queues = [
      queue({ queue: 'p', ageSeconds: 21 }),
      queue({ queue: 'q', ageSeconds: 30 }),
      queue({ queue: 'r' }),
    ];
    expect(findingsOf([], { ...NOTHING, queues })).toEqual([
      { level: 'warn', kind: 'depth-stale', queues: ['p', 'q'], seconds: 30 },
    ]);
  });

  it('reports unsent events', () => {
    const outboxes = [
      { service: 'order' as const, current: true, pending: 3, oldestSeconds: 11 },
      { service: 'processing' as const, current: true, pending: 3, oldestSeconds: 61 },
    ];
    expect(kinds(findingsOf([], { ...NOTHING, outboxes }))).toEqual(['outbox warn', 'outbox bad']);
  });

  it('reports answers of 5xx that are no defects, critical like the alarm of servers', () => {
    const traffic = (failed: number, requests: number): Traffic => ({
      service: 'order',
      requests,
      failed,
      refused: 0,
      limited: 0,
      statuses: [],
      p95Seconds: null,
    });
    const found = (failed: number, requests: number, defects = 0): readonly Finding[] =>
      findingsOf([], {
        ...NOTHING,
        traffic: [traffic(failed, requests)],
        failures: [{ name: 'order', total: defects, lastMinute: defects }],
      }).filter((each) => each.kind === 'unavailable');
    expect(found(24, 24)).toEqual([{ level: 'bad', kind: 'unavailable', service: 'order', number: 24, requests: 24 }]);
    expect(kinds(found(2, 2))).toEqual(['unavailable warn']);
    expect(kinds(found(5, 100))).toEqual(['unavailable warn']);
    expect(kinds(found(6, 100))).toEqual(['unavailable bad']);
    expect(found(4, 10, 4)).toEqual([]);
  });

  it('names a dependency that a service or all replicas miss', () => {
    const checks = (database: string): Record<string, string> => ({ database, edge: 'ok' });
    const all = [
      health(replica('order', 1, 2), 'ready', checks('ok')),
      health(replica('order', 2, 2), 'not-ready', checks('refused')),
    ];
    expect(findingsOf(all, NOTHING)[0]).toMatchObject({ kind: 'dependency', level: 'warn', away: false });
    const others = [health(replica('inventory'), 'not-ready', checks('refused'))];
    expect(findingsOf([...all, ...others], NOTHING)[0]).toMatchObject({ level: 'bad', away: false });
    expect(findingsOf(others, NOTHING)[0]).toMatchObject({
      kind: 'dependency',
      dependency: 'postgresql',
      level: 'bad',
      away: true,
      unreached: [{ service: 'inventory', reason: 'refused' }],
    });
  });

  it('grades late sagas by the oldest', () => {
    const sagas = { current: true, open: [], late: 2 };
    expect(kinds(findingsOf([], { ...NOTHING, sagas: { ...sagas, oldestSeconds: 31 } }))).toEqual(['late-sagas warn']);
    expect(kinds(findingsOf([], { ...NOTHING, sagas: { ...sagas, oldestSeconds: 301 } }))).toEqual(['late-sagas bad']);
  });

  it('reports nothing of tables that can’t be read now', () => {
    const outboxes = [{ service: 'order' as const, current: false, pending: 3, oldestSeconds: 61 }];
    const sagas = { current: false, open: [], late: 2, oldestSeconds: 301 };
    expect(findingsOf([], { ...NOTHING, outboxes, sagas })).toEqual([]);
  });

  it('reports an open circuit breaker with rejected calls', () => {
    const open = { service: 'order', client: 'inventory-service', state: 'open', unavailable: 3 } as const;
    const idle = { ...open, service: 'processing', unavailable: 0 } as const;
    const tried = { ...open, service: 'notification', state: 'half-open' } as const;
    expect(findingsOf([], { ...NOTHING, circuits: [open, idle, tried] })).toMatchObject([
      { kind: 'circuit', service: 'order' },
      { kind: 'circuit', service: 'notification' },
    ]);
  });

  it('reports the feed lag and recent refusals', () => {
    const refusals = [
      { name: 'draining', total: 9, lastMinute: 2 },
      { name: 'process-full', total: 1, lastMinute: 1 },
    ];
    const found = findingsOf([], { ...NOTHING, push: { ...PUSH, lag: 1500, refusals } });
    expect(found).toMatchObject([
      { kind: 'push-lag', level: 'bad', number: 1500 },
      { kind: 'refusals', number: 3 },
    ]);
  });

  it('reports recent status 500 and dropped log lines', () => {
    const stats = {
      ...NOTHING,
      failures: [{ name: 'order', total: 5, lastMinute: 1 }],
      lostLines: [{ name: 'inventory', total: 5, lastMinute: 5 }],
    };
    expect(kinds(findingsOf([], stats))).toEqual(['failures bad', 'lost-lines warn']);
  });
});

describe('overallLevel', () => {
  const ready = health(replica('order'), 'ready');
  const finding: Finding = { level: 'warn', kind: 'push-lag', number: 30 };

  it('is that of the worst finding', () => {
    expect(overallLevel([ready], [finding])).toBe('warn');
    expect(overallLevel([ready], [finding, { ...finding, level: 'bad' }])).toBe('bad');
    expect(overallLevel([ready], [])).toBe('ok');
  });

  it('is null before all processes were polled', () => {
    expect(overallLevel([], [])).toBeNull();
    expect(overallLevel([ready, health(replica('inventory'), 'unknown')], [])).toBeNull();
    expect(overallLevel([health(replica('inventory'), 'unknown')], [finding])).toBe('warn');
  });
});
