import { parseNotification } from './notification';
import { notificationAt } from './testing/notifications';

const TOLD = notificationAt({ epoch: 'a', seq: 1 });

describe('A notification', () => {
  it('is read with its reason, and without what is not known', () => {
    expect(parseNotification({ ...TOLD, reason: 'Short.', colour: 'red' })).toEqual({ ...TOLD, reason: 'Short.' });
    expect(parseNotification({ ...TOLD, traceId: null })).toEqual({ ...TOLD, traceId: '' });
  });

  it.each([
    { ...TOLD, kind: 'LOST' },
    { ...TOLD, orderId: '1' },
    { ...TOLD, orderId: 0 },
    { ...TOLD, version: 1.5 },
    { ...TOLD, occurredAt: 'yesterday' },
    { ...TOLD, message: undefined },
    { ...TOLD, id: 1 },
    null,
    [],
    'text',
  ])('is not made of %j', (value) => {
    expect(parseNotification(value)).toBeNull();
  });
});
