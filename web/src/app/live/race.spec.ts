import { Arrival } from '../push/connection';
import { Protocol } from '../push/feed';
import { notificationAt } from '../push/testing/notifications';
import { RACE_LIMIT, addArrivals, behindMs, clockErrorMs, gap, lane } from './race';

const HAPPENED = 1000;

function arrival(protocol: Protocol, seq: number, receivedAt: number, bytes = 300): Arrival {
  return { notification: notificationAt({ epoch: 'a', seq }, seq, HAPPENED), protocol, receivedAt, bytes };
}

describe('A race of both protocols', () => {
  it('pairs what came over both, the newest first', () => {
    const first = addArrivals([], [arrival('sse', 1, 1010), arrival('sse', 2, 1020)]);
    const laps = addArrivals(first, [arrival('ws', 1, 1012)]);
    expect(laps.map((each) => each.notification.orderId)).toEqual([2, 1]);
    expect(laps.map(behindMs)).toEqual([null, 2]);
  });

  it('is bounded', () => {
    const all = Array.from({ length: RACE_LIMIT + 5 }, (_, index) => arrival('ws', index + 1, 1010));
    const laps = addArrivals([], all);
    expect(laps).toHaveLength(RACE_LIMIT);
    expect(laps[0]?.notification.orderId).toBe(RACE_LIMIT + 5);
  });

  it('tells latency and size of each', () => {
    const laps = addArrivals(
      [],
      [arrival('sse', 1, 1010, 310), arrival('sse', 2, 1030, 330), arrival('sse', 3, 1020, 0)],
    );
    expect(lane(laps, 'sse')).toEqual({ latenciesMs: [10, 30, 20], p50Ms: 20, p95Ms: 30, meanBytes: 320 });
    expect(lane(laps, 'ws')).toEqual({ latenciesMs: [], p50Ms: null, p95Ms: null, meanBytes: null });
  });

  it('tells who was first, and how far they are apart', () => {
    const laps = addArrivals(
      [],
      [
        arrival('sse', 1, 1010),
        arrival('ws', 1, 1012),
        arrival('ws', 2, 1010),
        arrival('sse', 2, 1014),
        arrival('ws', 3, 1010),
      ],
    );
    expect(gap(laps)).toEqual({ count: 2, p50Ms: 2, p95Ms: 4, first: { sse: 1, ws: 1 } });
  });

  it('shows when the clocks can not be the same', () => {
    expect(clockErrorMs(addArrivals([], [arrival('sse', 1, 1010)]))).toBe(0);
    expect(clockErrorMs(addArrivals([], [arrival('sse', 1, 1010), arrival('ws', 2, 960)]))).toBe(40);
  });
});
