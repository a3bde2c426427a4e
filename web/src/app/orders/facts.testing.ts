import { Recorded } from '../api/notifications';
import { Order } from '../api/orders';
import { Saga, SagaState } from '../api/sagas';
import { Received } from '../push/feed';
import { Facts, Kind } from './facts';

/** The commit of the tests' order, in milliseconds since 1970. */
export const ORIGIN = Date.parse('2026-11-22T10:00:00Z');

/** A timestamp *offsetMs* after that, in the services' format. */
export function time(offsetMs: number): string {
  return new Date(ORIGIN + offsetMs).toISOString().replace('Z', '000Z');
}

export function order(members: Partial<Order> = {}): Order {
  return {
    id: 7,
    version: 1,
    status: 'CREATED',
    createdAt: time(0),
    updatedAt: time(0),
    failureReason: null,
    customerId: 'anonymous',
    orderItems: [{ id: 1, productId: '123', quantity: 2 }],
    ...members,
  };
}

const FINAL_STATUSES: readonly SagaState[] = ['DONE', 'FAILED', 'RELEASED'];

/** A saga that reached its *steps* at these offsets in milliseconds. */
export function saga(steps: Partial<Record<SagaState, number>>, members: Partial<Saga> = {}): Saga {
  const reached = Object.entries(steps) as [SagaState, number][];
  return {
    orderId: 7,
    customerId: 'anonymous',
    version: 1,
    state: reached.at(-1)?.[0] ?? 'STARTED',
    late: false,
    attempts: reached.length - 1,
    lastError: null,
    reason: null,
    nextRunAt: reached.some(([state]) => FINAL_STATUSES.includes(state)) ? null : time(1000),
    steps: reached.map(([state, at]) => ({ state, at: time(at) })),
    ...members,
  };
}

const TYPES = {
  CREATED: 'order-created',
  UPDATED: 'order-updated',
  CLOSED: 'order-processed',
  FAILED: 'order-failed',
  CANCELLED: 'order-cancelled',
} as const;

/** A notification with the offsets of its event and its record; a pushed one has no *recorded*. */
export function notification(
  kind: Kind,
  occurred: number,
  recorded?: number,
  members: Partial<Recorded> = {},
): Recorded {
  return {
    id: `e-${kind}-${(members.version ?? 1).toString()}`,
    type: TYPES[kind],
    kind,
    orderId: 7,
    version: 1,
    message: `Notification ${kind} for order 7`,
    occurredAt: time(occurred),
    traceId: 'a'.repeat(32),
    ...(recorded === undefined ? {} : { recordedAt: time(recorded) }),
    ...members,
  };
}

export function received(pushed: Recorded, at: number): Received {
  return { notification: pushed, receivedAt: ORIGIN + at, protocol: 'sse' };
}

export function facts(members: Partial<Facts> = {}): Facts {
  return {
    order: order(),
    sagas: [],
    history: [],
    live: [],
    position: null,
    timing: null,
    now: ORIGIN + 1000,
    ...members,
  };
}
