import { Recorded } from '../api/notifications';
import { Order } from '../api/orders';
import { Saga } from '../api/sagas';
import { Timing } from '../api/timings';
import { Received } from '../push/feed';
import { moment } from './moments';

/** All that is known of an order at one moment; null is what could not be asked. */
export interface Facts {
  readonly order: Order | null;
  readonly sagas: readonly Saga[] | null;
  readonly history: readonly Recorded[] | null;
  /** What this page was told while it was open; in any order. */
  readonly live: readonly Received[];
  readonly timing: Timing | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export type Kind = Recorded['kind'];

/** What is known of one notification, from the history and from the push together. */
export interface Told {
  readonly occurredAt: number | null;
  readonly recordedAt: number | null;
  readonly received: Received | null;
  readonly traceId: string | null;
  readonly reason: string | null;
}

/** What is known of the notification of a *kind*, and *version* if there can be several; null when nothing is. */
export function told(facts: Facts, kind: Kind, version?: number): Told | null {
  const wanted = (each: Recorded): boolean =>
    each.kind === kind && (kind !== 'UPDATED' || version === undefined || each.version === version);
  const recorded = facts.history?.find(wanted);
  const received = facts.live.find((each) => wanted(each.notification)) ?? null;
  const either = recorded ?? received?.notification;
  if (either === undefined) return null;
  return {
    occurredAt: moment(either.occurredAt),
    recordedAt: moment(recorded?.recordedAt),
    received,
    traceId: either.traceId,
    reason: either.reason ?? null,
  };
}

/** How many versions the order is known to have had: whoever was asked last may know more than the others. */
export function versions(facts: Facts): number {
  return Math.max(
    1,
    facts.order?.version ?? 0,
    ...(facts.sagas ?? []).map((saga) => saga.version),
    ...(facts.history ?? []).map((each) => each.version),
    ...facts.live.map((each) => each.notification.version),
  );
}

const ENDS = ['CLOSED', 'FAILED', 'CANCELLED'] as const;
export type End = (typeof ENDS)[number];

/** How the order ended; null while, as far as anybody knows, it has not. */
export function end(facts: Facts): End | null {
  const status = facts.order?.status;
  if (status !== undefined && status !== 'CREATED') return status;
  return ENDS.find((kind) => told(facts, kind) !== null) ?? null;
}

/** When the order service says that the order came to its end. */
export function endedAt(facts: Facts): number | null {
  return facts.order !== null && facts.order.status === end(facts) ? moment(facts.order.updatedAt) : null;
}
