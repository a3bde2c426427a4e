import { End, Facts, Kind, Told, end, endedAt, told, versions } from './facts';
import { Hop, HopName, HopState, hop } from './hop';
import { moment } from './moments';
import { noticeHops } from './notice-hops';
import { sagaEnd, sagaHops } from './saga-hops';

export type Cause = 'placed' | 'changed' | 'cancelled';

/** What follows from one thing that the user did. */
export interface Chapter {
  readonly id: string;
  readonly cause: Cause;
  readonly version: number;
  readonly traceId: string | null;
  readonly hops: readonly Hop[];
}

/** The way of one order, as far as it is known. */
export interface Journey {
  /** When the order was stored, in milliseconds since 1970: what all times are counted from. */
  readonly origin: number | null;
  readonly chapters: readonly Chapter[];
  readonly end: End | null;
  /** Whether nothing more is to come, for all that can be known. */
  readonly settled: boolean;
}

/** Draws the way of an order from what is known of it; nothing is assumed that does not follow from a fact. */
export function journey(facts: Facts): Journey {
  const ended = end(facts);
  const chapters = Array.from({ length: versions(facts) }, (_, index) => ofVersion(facts, index + 1));
  if (ended === 'CANCELLED') chapters.push(cancellation(facts));
  const open = chapters.flatMap((chapter) => chapter.hops).some((each) => OPEN.has(each.state));
  return { origin: createdAt(facts), chapters, end: ended, settled: !open && agreed(facts) };
}

const OPEN: ReadonlySet<HopState> = new Set(['active', 'pending']);

/** Whether everybody was asked after the end: a push tells of it before the others were read again. */
function agreed({ order, sagas, history }: Facts): boolean {
  const ended = order !== null && order.status !== 'CREATED';
  return ended && history !== null && sagas !== null && sagas.every((saga) => saga.nextRunAt === null);
}

function createdAt(facts: Facts): number | null {
  return moment(facts.order?.createdAt) ?? told(facts, 'CREATED')?.occurredAt ?? null;
}

function ofVersion(facts: Facts, version: number): Chapter {
  const first = version === 1;
  const kind: Kind = first ? 'CREATED' : 'UPDATED';
  const known = told(facts, kind, version);
  const savedAt = first ? createdAt(facts) : (known?.occurredAt ?? updatedAt(facts, version));
  const saga = sagaHops(facts, version, savedAt);
  const notice = noticeHops(facts, kind, version, { state: 'active', at: savedAt });
  return {
    id: `v${version.toString()}`,
    cause: first ? 'placed' : 'changed',
    version,
    traceId: traceId(known) ?? (first ? (facts.timing?.traceId ?? null) : null),
    hops: [...taken(facts, version, savedAt), announced(version, kind, [notice, saga]), ...notice, ...saga].concat(
      outcome(facts, version, saga),
    ),
  };
}

/** The request, up to the commit: what it took only the page that sent it can tell. */
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

/** That an event was handed to SQS shows when somebody has it. */
function announced(version: number, kind: Kind, followers: readonly (readonly Hop[])[]): Hop {
  const firsts = followers.map((hops) => hops[0]?.state ?? 'pending');
  let state: HopState = 'active';
  if (firsts.includes('done')) state = 'done';
  else if (firsts.every((each) => each === 'unknown')) state = 'unknown';
  return hop(`${kind}-v${version.toString()}-announce`, 'announce', 'order', 'sqs', { state, detail: kind });
}

/** What the processing service tells of the end, if it is this version that ended the order. */
function outcome(facts: Facts, version: number, saga: readonly Hop[]): readonly Hop[] {
  const ending = sagaEnd(facts, version);
  if (ending === 'RELEASED' || end(facts) === 'CANCELLED' || version < versions(facts)) return [];
  const kind = ending ?? 'CLOSED';
  const known = told(facts, kind);
  const before = saga.at(-1)?.state ?? 'pending';
  let state: HopState = before === 'done' ? 'active' : before === 'unknown' ? 'unknown' : 'pending';
  if (known !== null) state = 'done';
  const at = known?.occurredAt ?? null;
  // without its notification, the time of the saga's end is the best there is to tell how long it has been under way
  const notice = noticeHops(facts, kind, version, { state, at: at ?? saga.at(-1)?.at ?? null });
  if (state === 'active' && notice[0]?.state === 'unknown') state = 'unknown';
  return [
    hop(`${kind}-v${version.toString()}-tell`, 'tell', 'processing', 'sqs', { state, at, detail: kind }),
    ...notice,
  ];
}

function cancellation(facts: Facts): Chapter {
  const known = told(facts, 'CANCELLED');
  const at = known?.occurredAt ?? endedAt(facts);
  const version = versions(facts);
  const notice = noticeHops(facts, 'CANCELLED', version, { state: 'active', at });
  return {
    id: 'cancelled',
    cause: 'cancelled',
    version,
    traceId: traceId(known),
    hops: [
      hop('cancel', 'cancel', 'client', 'order', { state: 'done' }),
      hop('cancel-save', 'save', 'order', 'order', { state: 'done', at, detail: 'CANCELLED' }),
      announced(version, 'CANCELLED', [notice]),
      ...notice,
    ],
  };
}

function traceId(known: Told | null): string | null {
  // the history has null, and the push nothing, where none is known
  return known?.traceId ? known.traceId : null;
}

/** The order itself tells when its present version came to be, as long as nothing else has become of it. */
function updatedAt(facts: Facts, version: number): number | null {
  const { order } = facts;
  return order !== null && order.version === version && order.status === 'CREATED' ? moment(order.updatedAt) : null;
}
