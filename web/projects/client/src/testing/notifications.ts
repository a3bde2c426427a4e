import { EventId, formatEventId } from '../event-id.js';
import { Notification } from '../notification.js';

/** A notification of the order *orderId* with the id *id*. */
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
