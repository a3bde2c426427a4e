import { AnnouncedEvent, StockOperation } from '../api/evidence';
import { Recorded } from '../api/notifications';
import { Order } from '../api/orders';
import { Saga } from '../api/sagas';
import { Timing } from '../api/timings';
import { Received } from '../push/feed';
import { EventId, parseEventId } from 'orderstream-client';
import { parseTime } from './timestamps';

/** The data about an order at one time; null where a service could not be read. */
export interface Facts {
  readonly order: Order | null;
  readonly sagas: readonly Saga[] | null;
  readonly history: readonly Recorded[] | null;
  /** The notifications that this page received; in any order. */
  readonly live: readonly Received[];
  /** Everything up to it was pushed to this browser, or is in the history; null before the first connection. */
  readonly position: EventId | null;
  readonly timing: Timing | null;
  /** The events in the outboxes. */
  readonly events?: readonly AnnouncedEvent[] | null;
  readonly operations?: readonly StockOperation[] | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export type Kind = Recorded['kind'];

/** One notification, merged from the history and the push. */
export interface KnownNotification {
  readonly occurredAt: number | null;
  readonly recordedAt: number | null;
  readonly received: Received | null;
  /** Whether the feed is past it: it was pushed before this page could hear it, and read from the history. */
  readonly isPast: boolean;
  readonly traceId: string | null;
  readonly reason: string | null;
}

/** The notification of a *kind*, and of *version* if there can be several; null when unknown. */
export function notificationOf(facts: Facts, kind: Kind, version?: number): KnownNotification | null {
  const wanted = (each: Recorded): boolean =>
    each.kind === kind && (kind !== 'UPDATED' || version === undefined || each.version === version);
  const recorded = facts.history?.find(wanted);
  const received = facts.live.find((each) => wanted(each.notification)) ?? null;
  const either = recorded ?? received?.notification;
  if (either === undefined) return null;
  return {
    occurredAt: parseTime(either.occurredAt),
    recordedAt: parseTime(recorded?.recordedAt),
    received,
    isPast: isPast(either.id, facts.position),
    traceId: either.traceId,
    reason: either.reason ?? null,
  };
}

/** Whether the feed is past a notification. */
export function isPast(text: string, position: EventId | null): boolean {
  const id = parseEventId(text);
  if (id === null || position === null) return false;
  return id.epoch !== position.epoch || id.seq <= position.seq;
}

const TYPES: Readonly<Record<string, string>> = {
  CREATED: 'order-created',
  UPDATED: 'order-updated',
  CLOSED: 'order-processed',
  FAILED: 'order-failed',
  CANCELLED: 'order-cancelled',
};

/** The events in the outboxes of what a notification of *kind* tells. */
export function eventsOf(facts: Facts, kind: string, version: number): readonly AnnouncedEvent[] {
  const end = `:${version.toString()}`;
  return (facts.events ?? []).filter((event) => event.type === TYPES[kind] && event.key.endsWith(end));
}

export function isForNotification(event: AnnouncedEvent): boolean {
  return event.queue.includes('notification');
}

/** `RECONCILE_AFTER_S` is 30 s in the demo and more elsewhere; the clocks of two services may differ. */
const MIN_RESTORED_AGE_MS = 20_000;

/**
 * Whether a notification that was recorded at *recordedAt* may have been restored by the comparison with the orders:
 * its event was old, and not yet noted as sent. A younger one was sent, and is noted so with the relay's next statement.
 */
export function mayBeRestored(event: AnnouncedEvent, recordedAt: number): boolean {
  const age = recordedAt - (parseTime(event.storedAt) ?? recordedAt);
  return age >= MIN_RESTORED_AGE_MS && recordedAt < (parseTime(event.sentAt) ?? Infinity);
}

/** The highest known version of the order: the sources may differ in age. */
export function versions(facts: Facts): number {
  return Math.max(
    1,
    facts.order?.version ?? 0,
    ...(facts.sagas ?? []).map((saga) => saga.version),
    ...(facts.history ?? []).map((each) => each.version),
    ...facts.live.map((each) => each.notification.version),
  );
}

const FINAL_STATUSES = ['CLOSED', 'FAILED', 'CANCELLED'] as const;
export type FinalStatus = (typeof FINAL_STATUSES)[number];

/** The final status of the order; null while it is open. */
export function finalStatus(facts: Facts): FinalStatus | null {
  const status = facts.order?.status;
  if (status !== undefined && status !== 'CREATED') return status;
  return FINAL_STATUSES.find((kind) => notificationOf(facts, kind) !== null) ?? null;
}

/** The time of the final status, according to the order service. */
export function endedAt(facts: Facts): number | null {
  return facts.order !== null && facts.order.status === finalStatus(facts) ? parseTime(facts.order.updatedAt) : null;
}
