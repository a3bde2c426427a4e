import { Seen } from './seen';
import { notificationAt } from './testing/notifications';

const BEGUN = 1_000_000;

describe('What was delivered', () => {
  it('is known again under another id', () => {
    const seen = new Seen(BEGUN, 10);
    seen.add(notificationAt({ epoch: 'a', seq: 5 }, 7, BEGUN));
    expect(seen.covers(notificationAt({ epoch: 'b', seq: 9 }, 7, BEGUN))).toBe(true);
    expect(seen.covers(notificationAt({ epoch: 'b', seq: 5 }, 8, BEGUN))).toBe(false);
    expect(seen.covers({ ...notificationAt({ epoch: 'b', seq: 9 }, 7, BEGUN), kind: 'CLOSED' })).toBe(false);
  });

  it('takes in what was long before', () => {
    const seen = new Seen(BEGUN, 10);
    expect(seen.covers(notificationAt({ epoch: 'b', seq: 1 }, 1, BEGUN - 60_001))).toBe(true);
    expect(seen.covers(notificationAt({ epoch: 'b', seq: 1 }, 1, BEGUN - 59_999))).toBe(false);
  });

  it('is bounded, and what is older than all that is left counts as delivered', () => {
    const seen = new Seen(BEGUN, 2);
    for (const order of [1, 2, 3]) seen.add(notificationAt({ epoch: 'a', seq: order }, order, BEGUN + order * 1000));
    expect(seen.covers(notificationAt({ epoch: 'b', seq: 1 }, 1, BEGUN + 1000))).toBe(true);
    expect(seen.covers(notificationAt({ epoch: 'b', seq: 4 }, 4, BEGUN + 4000))).toBe(false);
  });
});
