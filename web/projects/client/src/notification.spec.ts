import { parseNotification } from './notification.js';
import { notificationAt } from './testing/notifications.js';

const NOTIFICATION = notificationAt({ epoch: 'a', seq: 1 });

describe('A notification', () => {
  it('is parsed with its reason, without unknown members', () => {
    expect(parseNotification({ ...NOTIFICATION, reason: 'Short.', colour: 'red' })).toEqual({
      ...NOTIFICATION,
      reason: 'Short.',
    });
    expect(parseNotification({ ...NOTIFICATION, traceId: null })).toEqual({ ...NOTIFICATION, traceId: '' });
  });

  it.each([
    { ...NOTIFICATION, kind: 'LOST' },
    { ...NOTIFICATION, orderId: '1' },
    { ...NOTIFICATION, orderId: 0 },
    { ...NOTIFICATION, version: 1.5 },
    { ...NOTIFICATION, occurredAt: 'yesterday' },
    { ...NOTIFICATION, message: undefined },
    { ...NOTIFICATION, id: 1 },
    null,
    [],
    'text',
  ])('is null for %j', (value) => {
    expect(parseNotification(value)).toBeNull();
  });
});
