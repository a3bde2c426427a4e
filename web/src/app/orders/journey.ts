import {
  FinalStatus,
  Facts,
  Kind,
  KnownNotification,
  eventsOf,
  finalStatus,
  endedAt,
  isForNotification,
  mayBeRestored,
  notificationOf,
  versions,
} from './facts';
import { Hop, HopName, HopState, hop } from './hop';
import { parseTime } from './timestamps';
import { notificationHops } from './notification-hops';
import { sagaEnd, sagaHops } from './saga-hops';

export type Cause = 'placed' | 'changed' | 'cancelled';

/** The consequences of one action of the user. */
export interface Phase {
  readonly id: string;
  readonly cause: Cause;
  readonly version: number;
  readonly traceId: string | null;
  readonly hops: readonly Hop[];
}

/** The sequence of one order through the system, as far as it is known. */
export interface Journey {
  /** The commit of the order, in milliseconds since 1970: the origin of all times. */
  readonly origin: number | null;
  readonly phases: readonly Phase[];
  readonly end: FinalStatus | null;
  /** Whether no further change is expected. */
  readonly settled: boolean;
}

/** Derives the sequence of an order from the facts, without assumptions. */
export function journey(facts: Facts): Journey {
  const ended = finalStatus(facts);
  const phases = Array.from({ length: versions(facts) }, (_, index) => versionPhase(facts, index + 1));
  if (ended === 'CANCELLED') phases.push(cancellationPhase(facts));
  const open = phases.flatMap((phase) => phase.hops).some((each) => OPEN.has(each.state));
  return { origin: createdAt(facts), phases, end: ended, settled: !open && isConsistent(facts) };
}

const OPEN: ReadonlySet<HopState> = new Set(['active', 'pending']);

/** Whether all services were read after the end: a push may arrive before the next reads. */
function isConsistent({ order, sagas, history }: Facts): boolean {
  const ended = order !== null && order.status !== 'CREATED';
  return ended && history !== null && sagas !== null && sagas.every((saga) => saga.nextRunAt === null);
}

function createdAt(facts: Facts): number | null {
  return parseTime(facts.order?.createdAt) ?? notificationOf(facts, 'CREATED')?.occurredAt ?? null;
}

function versionPhase(facts: Facts, version: number): Phase {
  const first = version === 1;
  const kind: Kind = first ? 'CREATED' : 'UPDATED';
  const known = notificationOf(facts, kind, version);
  const savedAt = first ? createdAt(facts) : (known?.occurredAt ?? updatedAt(facts, version));
  const saga = sagaHops(facts, version, savedAt);
  const notice = notificationHops(facts, kind, version, { state: 'active', at: savedAt });
  return {
    id: `v${version.toString()}`,
    cause: first ? 'placed' : 'changed',
    version,
    traceId: traceId(known) ?? (first ? (facts.timing?.traceId ?? null) : null),
    hops: [
      ...taken(facts, version, savedAt),
      announced(facts, version, kind, [notice, saga]),
      ...notice,
      ...saga,
    ].concat(outcome(facts, version, saga)),
  };
}

/** The request, up to the commit; only the page that sent it has its duration. */
function taken(facts: Facts, version: number, savedAt: number | null): readonly Hop[] {
  const first = version === 1;
  const timing = first ? facts.timing : null;
  const stored = facts.order !== null || savedAt !== null || (facts.sagas?.length ?? 0) > 0;
  const state: HopState = stored ? 'done' : 'unknown';
  const id = (name: HopName): string => `v${version.toString()}-${name}`;
  const request = first ? 'place' : 'change';
  return [
    hop(id(request), request, 'client', 'order', { state, tookMs: timing?.tookMs ?? null }),
    hop(id('check'), 'check', 'order', 'inventory', { state, tookMs: timing?.stockMs ?? null }),
    hop(id('save'), 'save', 'order', 'order', {
      state,
      at: savedAt,
      tookMs: timing?.saveMs ?? null,
      detail: 'CREATED',
    }),
  ];
}

/** The event was sent to SQS if one of its consumers has it; a restored notification did not come from there. */
function announced(facts: Facts, version: number, kind: Kind, followers: readonly (readonly Hop[])[]): Hop {
  const firsts = followers.map(([first]) =>
    isInOutbox(facts, version, kind, first) ? 'active' : (first?.state ?? 'pending'),
  );
  let state: HopState = 'active';
  if (firsts.includes('done')) state = 'done';
  else if (firsts.every((each) => each === 'unknown')) state = 'unknown';
  return hop(`${kind}-v${version.toString()}-announce`, 'announce', 'order', 'sqs', { state, detail: kind });
}

/** Whether the event of a notification is still in the outbox, although it is recorded. */
function isInOutbox(facts: Facts, version: number, kind: Kind, record: Hop | undefined): boolean {
  if (record?.name !== 'record' || record.at === null) return false;
  const event = eventsOf(facts, kind, version).find(isForNotification);
  return event?.sentAt === null && !event.setAside && mayBeRestored(event, record.at);
}

/** The events of the processing service about the end, if this version ended the order. */
function outcome(facts: Facts, version: number, saga: readonly Hop[]): readonly Hop[] {
  const ending = sagaEnd(facts, version);
  if (ending === 'RELEASED' || finalStatus(facts) === 'CANCELLED' || version < versions(facts)) return [];
  const kind = ending ?? 'CLOSED';
  const known = notificationOf(facts, kind);
  const before = saga.at(-1)?.state ?? 'pending';
  let state: HopState = before === 'done' ? 'active' : before === 'unknown' ? 'unknown' : 'pending';
  if (known !== null) state = 'done';
  const at = known?.occurredAt ?? null;
  // without its notification, the end of the saga is the best estimate of when the event was sent
  const notice = notificationHops(facts, kind, version, { state, at: at ?? saga.at(-1)?.at ?? null });
  if (state === 'active' && notice[0]?.state === 'unknown') state = 'unknown';
  if (state === 'done' && isInOutbox(facts, version, kind, notice[0])) state = 'active';
  return [
    hop(`${kind}-v${version.toString()}-tell`, 'tell', 'processing', 'sqs', { state, at, detail: kind }),
    ...notice,
  ];
}

function cancellationPhase(facts: Facts): Phase {
  const known = notificationOf(facts, 'CANCELLED');
  const at = known?.occurredAt ?? endedAt(facts);
  const version = versions(facts);
  const notice = notificationHops(facts, 'CANCELLED', version, { state: 'active', at });
  return {
    id: 'cancelled',
    cause: 'cancelled',
    version,
    traceId: traceId(known),
    hops: [
      hop('cancel', 'cancel', 'client', 'order', { state: 'done' }),
      hop('cancel-save', 'save', 'order', 'order', { state: 'done', at, detail: 'CANCELLED' }),
      announced(facts, version, 'CANCELLED', [notice]),
      ...notice,
    ],
  };
}

function traceId(known: KnownNotification | null): string | null {
  // an unknown trace is null in the history and empty in a push
  return known?.traceId ? known.traceId : null;
}

/** The time of the current version, from the order itself while it is open. */
function updatedAt(facts: Facts, version: number): number | null {
  const { order } = facts;
  return order !== null && order.version === version && order.status === 'CREATED' ? parseTime(order.updatedAt) : null;
}
