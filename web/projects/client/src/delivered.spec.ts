import { DeliveredNotifications } from './delivered.js';
import { notificationAt } from './testing/notifications.js';

const STARTED_AT = 1_000_000;

describe('Delivered notifications', () => {
  it('are recognised under another id', () => {
    const delivered = new DeliveredNotifications(STARTED_AT, 10);
    delivered.add(notificationAt({ epoch: 'a', seq: 5 }, 7, STARTED_AT));
    expect(delivered.covers(notificationAt({ epoch: 'b', seq: 9 }, 7, STARTED_AT))).toBe(true);
    expect(delivered.covers(notificationAt({ epoch: 'b', seq: 5 }, 8, STARTED_AT))).toBe(false);
    expect(delivered.covers({ ...notificationAt({ epoch: 'b', seq: 9 }, 7, STARTED_AT), kind: 'CLOSED' })).toBe(false);
  });

  it('include older ones', () => {
    const delivered = new DeliveredNotifications(STARTED_AT, 10);
    expect(delivered.covers(notificationAt({ epoch: 'b', seq: 1 }, 1, STARTED_AT - 60_001))).toBe(true);
    expect(delivered.covers(notificationAt({ epoch: 'b', seq: 1 }, 1, STARTED_AT - 59_999))).toBe(false);
  });

  it('are bounded, and older ones count as delivered', () => {
    const delivered = new DeliveredNotifications(STARTED_AT, 2);
    for (const order of [1, 2, 3])
      delivered.add(notificationAt({ epoch: 'a', seq: order }, order, STARTED_AT + order * 1000));
    expect(delivered.covers(notificationAt({ epoch: 'b', seq: 1 }, 1, STARTED_AT + 1000))).toBe(true);
    expect(delivered.covers(notificationAt({ epoch: 'b', seq: 4 }, 4, STARTED_AT + 4000))).toBe(false);
  });
});
