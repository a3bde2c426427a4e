import { EventId, formatEventId } from '../event-id';
import { Notification } from '../notification';

/** The notification at *id* that tells of the order *orderId*. */
export function notificationAt(id: EventId, orderId: number = id.seq, occurredAt = 0): Notification {
  return {
    id: formatEventId(id),
    type: 'order-created',
    kind: 'CREATED',
    orderId,
    version: 1,
    message: `Notification CREATED for order ${orderId.toString()}`,
    occurredAt: new Date(occurredAt).toISOString(),
    traceId: '',
  };
}
