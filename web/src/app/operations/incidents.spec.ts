import { Replica } from '../api/metrics';
import { alarmsOf } from './causes';
import { Finding } from './findings';
import { Log, incidentsAfter, observed, quietSince, restartsAfter } from './incidents';

const PROCESSING: Replica = { service: 'processing', number: 1, of: 1, address: 'http://p', balanced: false };
const BEHIND: Replica = { ...PROCESSING, balanced: true };
const AWAY: Finding = { level: 'bad', kind: 'unreachable', replica: PROCESSING, failing: [] };
const NOT_READY: Finding = { level: 'bad', kind: 'not-ready', replica: PROCESSING, failing: ['engine'] };
const FAILS: Finding = { level: 'bad', kind: 'unavailable', service: 'order', number: 9, requests: 9 };
const STOCK: Finding = { ...AWAY, replica: { ...PROCESSING, service: 'inventory' } };
const S = 1000;

type Seen = readonly [at: number, findings: readonly Finding[], startedAt?: number, replica?: Replica];

function log(...seen: readonly Seen[]): Log {
  const logs = seen.reduce<Log | null>(
    (before, [at, findings, startedAt, replica = PROCESSING]) =>
      observed(before, {
        at,
        alarms: alarmsOf(findings),
        processes: startedAt === undefined ? [] : [{ replica, startedAt }],
      }),
    null,
  );
  if (logs === null) throw new Error('nothing seen');
  return logs;
}

describe('observed', () => {
  it('has an incident from the first to the last sight of an alarm', () => {
    const known = log([0, []], [5 * S, [AWAY]], [10 * S, [AWAY]], [15 * S, []], [20 * S, []]);
    expect(known.incidents).toEqual([{ cause: AWAY, from: 5 * S, until: 15 * S }]);
    expect(quietSince(known)).toBe(15 * S);
  });

  it('is one incident when a replica hangs, or comes back for a moment', () => {
    const known = log([0, [NOT_READY]], [5 * S, [AWAY]], [10 * S, []], [15 * S, [AWAY]]);
    expect(known.incidents).toMatchObject([{ from: 0, until: null }]);
    expect(quietSince(known)).toBeNull();
  });

  it('is another incident after a while', () => {
    const known = log([0, [AWAY]], [5 * S, []], [30 * S, [AWAY]], [35 * S, []]);
    expect(incidentsAfter(known, 0).map((each) => each.from)).toEqual([30 * S, 0]);
    expect(incidentsAfter(known, 6 * S).map((each) => each.from)).toEqual([30 * S]);
  });

  it('has what outlasts its cause since it was seen first', () => {
    const known = log([0, []], [5 * S, [STOCK]], [10 * S, [STOCK, FAILS]], [60 * S, [FAILS]], [65 * S, []]);
    expect(known.incidents).toEqual([
      { cause: STOCK, from: 5 * S, until: 60 * S },
      { cause: FAILS, from: 10 * S, until: 65 * S },
    ]);
  });

  it('has what came back without a cause since then', () => {
    const known = log([5 * S, [STOCK, FAILS]], [10 * S, [STOCK]], [60 * S, [FAILS]]);
    expect(known.incidents.map((each) => each.from)).toEqual([5 * S, 60 * S]);
  });

  it('does not claim to have watched during a gap', () => {
    const known = log([0, []], [5 * S, []], [500 * S, []]);
    expect(known.since).toBe(500 * S);
    expect(quietSince(known)).toBe(500 * S);
  });

  it('does not know what was during a gap', () => {
    const seen: readonly Seen[] = [
      [5 * S, [AWAY]],
      [10 * S, [AWAY]],
    ];
    expect(log(...seen, [500 * S, []]).incidents).toEqual([{ cause: AWAY, from: 5 * S, until: 10 * S }]);
    expect(log(...seen, [500 * S, [AWAY]]).incidents).toEqual([
      { cause: AWAY, from: 5 * S, until: 10 * S },
      { cause: AWAY, from: 500 * S, until: null },
    ]);
    expect(log([5 * S, [STOCK, FAILS]], [500 * S, [FAILS]]).incidents).toMatchObject([
      { cause: STOCK, until: 5 * S },
      { cause: FAILS, from: 500 * S },
    ]);
  });

  it('notices a process that was started again between two polls', () => {
    const known = log([100 * S, [], 1 * S], [105 * S, [], 1 * S + 0.2], [110 * S, [], 107 * S]);
    expect(known.incidents).toEqual([]);
    expect(restartsAfter(known, 0)).toEqual([{ replica: PROCESSING, at: 107 * S, again: true }]);
    expect(quietSince(known)).toBe(107 * S);
  });

  it('notices a restart while nobody watched', () => {
    expect(restartsAfter(log([100 * S, [], 1 * S], [900 * S, [], 400 * S]), 0).length).toBe(1);
  });

  it('does not take another replica behind a load balancer for a restart', () => {
    const known = log([100 * S, [], 1 * S, BEHIND], [105 * S, [], 2 * S, BEHIND], [110 * S, [], 1 * S, BEHIND]);
    expect(restartsAfter(known, 0)).toEqual([]);
    const again = observed(known, { at: 115 * S, alarms: [], processes: [{ replica: BEHIND, startedAt: 112 * S }] });
    expect(restartsAfter(again, 0).map((each) => each.at)).toEqual([112 * S]);
  });

  it('is bounded', () => {
    const many = Array.from({ length: 400 }, (_, index): Seen => [index * 20 * S, index % 2 === 0 ? [AWAY] : []]);
    expect(log(...many).incidents.length).toBe(100);
    expect(log([0, [AWAY]], [5 * S, []], [100_000 * S, []]).incidents).toEqual([]);
  });
});
