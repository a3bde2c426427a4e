export type Protocol = 'sse' | 'ws';
/** *delayed*: the connection is open, but the service can't read the feed. */
export type FeedState = 'connecting' | 'live' | 'delayed' | 'waiting' | 'offline' | 'ended';

/** Why the feed ended by itself: an operator disconnected the customer, or the service refuses the person (401, 403). */
export type FeedEnd = { readonly reason: 'disconnected' } | { readonly reason: 'denied'; readonly status: number };

const KINDS = ['CREATED', 'UPDATED', 'CLOSED', 'FAILED', 'CANCELLED'] as const;
export type Kind = (typeof KINDS)[number];

/** A change of an order as the notification service sends it; *type* may be one of a later version. */
export interface Notification {
  readonly id: string;
  readonly type: string;
  readonly kind: Kind;
  readonly orderId: number;
  /** Whose order it is; a service of an earlier version does not say. */
  readonly customerId?: string;
  readonly version: number;
  readonly message: string;
  /** RFC 3339, UTC. */
  readonly occurredAt: string;
  readonly traceId: string;
  /** With the kind FAILED. */
  readonly reason?: string;
}

/** Which notifications are wanted; without one of these, all. */
export interface Filter {
  readonly orderIds?: readonly number[];
  readonly kinds?: readonly Kind[];
}

export interface Received {
  readonly notification: Notification;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly receivedAt: number;
  readonly protocol: Protocol;
}

export interface Counts {
  readonly received: number;
  /** Notifications that were sent during a disconnect and recovered afterwards. */
  readonly missed: number;
  readonly resets: number;
  readonly reconnects: number;
  readonly malformed: number;
}

export const NO_COUNTS: Counts = { received: 0, missed: 0, resets: 0, reconnects: 0, malformed: 0 };

/** Parses a notification; null when it is malformed. */
export function parseNotification(value: unknown): Notification | null {
  if (!isRecord(value)) return null;
  const { id, type, orderId, customerId, version, message, occurredAt, traceId, reason } = value;
  const kind = KINDS.find((each) => each === value['kind']);
  if (kind === undefined || typeof id !== 'string' || typeof type !== 'string') return null;
  if (!isCount(orderId) || !isCount(version) || typeof message !== 'string') return null;
  if (typeof occurredAt !== 'string' || Number.isNaN(Date.parse(occurredAt))) return null;
  return {
    id,
    type,
    kind,
    orderId,
    ...(typeof customerId === 'string' && { customerId }),
    version,
    message,
    occurredAt,
    traceId: typeof traceId === 'string' ? traceId : '',
    ...(typeof reason === 'string' && { reason }),
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}
