import { Arrival } from 'orderstream-client';
import { Protocol } from '../push/feed';
import { notificationAt } from 'orderstream-client/testing/notifications';
import { COMPARISON_LIMIT, clockOffsetMs, delayMs, differenceOf, pairsOf, statsOf } from './comparison';

const HAPPENED = 1000;

function arrival(protocol: Protocol, seq: number, receivedAt: number, bytes = 300): Arrival {
  return { notification: notificationAt({ epoch: 'a', seq }, seq, HAPPENED), protocol, receivedAt, bytes };
}

describe('The comparison of both protocols', () => {
  it('pairs arrivals over both protocols, the newest first', () => {
    const pairs = pairsOf(
      [arrival('sse', 2, 1020), arrival('sse', 1, 1010)],
      [arrival('ws', 3, 1025), arrival('ws', 1, 1012)],
    );
    expect(pairs.map((each) => each.notification.orderId)).toEqual([3, 2, 1]);
    expect(pairs.map(delayMs)).toEqual([null, null, 2]);
  });

  it('is bounded', () => {
    const all = Array.from({ length: COMPARISON_LIMIT + 5 }, (_, index) => arrival('ws', index + 1, 1000 + index));
    const pairs = pairsOf([], all.reverse());
    expect(pairs).toHaveLength(COMPARISON_LIMIT);
    expect(pairs[0]?.notification.orderId).toBe(COMPARISON_LIMIT + 5);
  });

  it('has latency and size of each protocol', () => {
    const pairs = pairsOf([arrival('sse', 2, 1030, 330), arrival('sse', 3, 1020, 0), arrival('sse', 1, 1010, 310)], []);
    expect(statsOf(pairs, 'sse')).toEqual({ latenciesMs: [10, 20, 30], p50Ms: 20, p95Ms: 30, meanBytes: 320 });
    expect(statsOf(pairs, 'ws')).toEqual({ latenciesMs: [], p50Ms: null, p95Ms: null, meanBytes: null });
  });

  it('has the first protocol, the ties and the difference', () => {
    const pairs = pairsOf(
      [arrival('sse', 4, 1040.2), arrival('sse', 2, 1014), arrival('sse', 1, 1010)],
      [arrival('ws', 4, 1040.9), arrival('ws', 3, 1010), arrival('ws', 2, 1010), arrival('ws', 1, 1012)],
    );
    expect(differenceOf(pairs)).toMatchObject({ count: 3, p50Ms: 2, p95Ms: 4, first: { sse: 1, ws: 1 }, ties: 1 });
  });

  it('detects a clock offset', () => {
    expect(clockOffsetMs(pairsOf([arrival('sse', 1, 1010)], []))).toBe(0);
    expect(clockOffsetMs(pairsOf([arrival('sse', 1, 1010)], [arrival('ws', 2, 960)]))).toBe(40);
  });
});
