import { AnnouncedEvent, Announcer, StockOperation } from '../api/evidence';
import { FailedAttempt, Saga } from '../api/sagas';
import { Facts, eventsOf, isForNotification, mayBeRestored } from './facts';
import { Hop, HopName, HopState, Lifeline, Retry } from './hop';
import { Journey, Phase } from './journey';
import { parseTime } from './timestamps';

/** The steps of the timeline: those of the sequence, and what the services keep beside it. */
export type StepName = HopName | 'outbox' | 'recorded' | 'operation' | 'attempt';

/** One row of the timeline. Times in milliseconds since 1970. */
export interface Step {
  readonly id: string;
  readonly name: StepName;
  /** Where the time is spent. */
  readonly lane: Lifeline;
  readonly state: HopState;
  /** The kind of notification, the queue, the outcome, the status, or the step of the saga that was attempted. */
  readonly detail: string | null;
  /** Null when it has not begun, or the time is unknown. */
  readonly from: number | null;
  /** Null when it goes on, or the time is unknown. */
  readonly until: number | null;
  /** Whether the place on the time axis is computed from durations. */
  readonly estimated: boolean;
  /** The attempts, when there was more than one; null when unknown. */
  readonly attempts: number | null;
  readonly retry: Retry | null;
  /** Why an attempt failed. */
  readonly failure: FailedAttempt | null;
  /** Whether it had ended at *until* at the latest, as what came next tells. */
  readonly atMost: boolean;
  /** At the end of a saga, how many more attempts failed than the service keeps. */
  readonly repeats: number;
  /** What a service has of the step, as it answers. */
  readonly payload: object | null;
  /** The event of an outbox; what it says is read on demand. */
  readonly announced: { readonly id: string; readonly announcer: Announcer } | null;
}

/** The steps that one action of the user caused. */
export interface Section {
  readonly phase: Phase;
  /** Whether a newer version replaced it, and nothing of it goes on. */
  readonly superseded: boolean;
  /** By their begin; those of unknown time last. */
  readonly steps: readonly Step[];
}

/** The timeline of an order, to scale. */
export function waterfall(journey: Journey, facts: Facts): readonly Section[] {
  return journey.phases.map((phase, place) => {
    const steps = inTime([...stepsOf(phase, facts), ...attempts(phase, facts)]);
    const goesOn = steps.some((step) => step.state === 'active');
    const next = journey.phases[place + 1];
    return { phase, superseded: next !== undefined && next.cause === 'changed' && !goesOn, steps };
  });
}

const OF_SAGA: ReadonlySet<HopName> = new Set(['start', 'take', 'close', 'fail', 'release']);

function stepsOf(phase: Phase, facts: Facts): readonly Step[] {
  const savedAt = phase.hops.find((hop) => hop.name === 'save')?.at ?? null;
  // the saga and the notification go on side by side: what comes next in one does not wait for the other
  const latest = { saga: savedAt, other: savedAt };
  return phase.hops.flatMap((hop): readonly Step[] => {
    const branch = OF_SAGA.has(hop.name) ? 'saga' : 'other';
    const events = announcedIn(hop, phase, facts);
    const steps = request(hop, phase, facts, savedAt) ??
      outbox(hop, events, phase) ?? [timed(hop, phase, facts, latest[branch])];
    latest[branch] = Math.max(latest[branch] ?? 0, ...steps.map((step) => step.until ?? 0)) || null;
    return [...steps, ...operation(hop, phase, facts)];
  });
}

/** The events in the outboxes that announce the fact of a hop. */
function announcedIn(hop: Hop, phase: Phase, facts: Facts): readonly AnnouncedEvent[] {
  const kind = hop.name === 'start' ? (phase.cause === 'placed' ? 'CREATED' : 'UPDATED') : hop.detail;
  return eventsOf(facts, kind ?? '', phase.version);
}

/** The request and its parts: only their durations are known, and when the order was saved. */
function request(hop: Hop, phase: Phase, facts: Facts, savedAt: number | null): readonly Step[] | null {
  if (hop.name !== 'place' && hop.name !== 'check' && hop.name !== 'save') return null;
  const { timing, order } = facts;
  const payload = hop.name === 'save' && order?.version === phase.version ? order : null;
  if (savedAt === null || hop.tookMs === null) {
    const at = hop.name === 'save' ? savedAt : null;
    return [step(hop, { from: at, until: at, payload })];
  }
  const [stock, save] = [timing?.stockMs ?? 0, timing?.saveMs ?? 0];
  const rest = Math.max(0, (timing?.tookMs ?? 0) - stock - save) / 2;
  const from = { place: savedAt - stock - rest, check: savedAt - stock, save: savedAt }[hop.name];
  return [step(hop, { from, until: from + hop.tookMs, estimated: true, payload })];
}

/**
 * The time that an event waits in the outbox, for each queue.
 *
 * A relay notes that it was sent with its next statement, so that a consumer may have it before.
 */
function outbox(hop: Hop, events: readonly AnnouncedEvent[], phase: Phase): readonly Step[] | null {
  if ((hop.name !== 'announce' && hop.name !== 'tell') || events.length === 0) return null;
  return events.map((event) => {
    const consumer = isForNotification(event) ? 'record' : 'start';
    const consumedAt = phase.hops.find((each) => each.name === consumer && announces(hop, each))?.at ?? null;
    const notedAt = parseTime(event.sentAt);
    const atMost =
      consumedAt !== null &&
      (notedAt === null ? event.attempts <= 1 : consumedAt < notedAt) &&
      !(consumer === 'record' && mayBeRestored(event, consumedAt));
    return {
      ...step(hop, {
        from: parseTime(event.storedAt),
        until: atMost ? consumedAt : notedAt,
        atMost,
        attempts: event.attempts > 1 ? event.attempts : null,
        payload: event,
        announced: { id: event.id, announcer: hop.name === 'tell' ? 'processing' : 'order' },
      }),
      id: `${hop.id}-${event.queue}`,
      name: 'outbox' as const,
      state: event.setAside ? 'failed' : atMost || notedAt !== null ? 'done' : 'active',
      detail: event.queue,
    };
  });
}

/** Whether *consumed* is where an event of *hop* is received. */
function announces(hop: Hop, consumed: Hop): boolean {
  return consumed.name === 'start' ? hop.name === 'announce' : consumed.detail === hop.detail;
}

function timed(hop: Hop, phase: Phase, facts: Facts, latest: number | null): Step {
  const payload = payloadOf(hop, phase, facts);
  const event = hop.name === 'start' || hop.name === 'record' ? consumedHere(hop, phase, facts) : undefined;
  const sent = event === undefined ? null : (parseTime(event.sentAt) ?? hop.at);
  if (hop.at !== null && hop.name === 'record' && event !== undefined && mayBeRestored(event, hop.at)) {
    const known = { from: hop.at, until: hop.at, payload, lane: 'notification' } as const;
    return { ...step(hop, known), name: 'recorded' };
  }
  if (hop.at !== null) {
    const began = sent ?? (hop.tookMs === null ? hop.at : hop.at - hop.tookMs);
    return step(hop, { from: Math.min(began, hop.at), until: hop.at, payload, repeats: repeatsOf(hop, phase, facts) });
  }
  // what is still in the outbox is not in SQS
  if (hop.state === 'active' && event !== undefined && sent === null) return step(hop, { state: 'pending', payload });
  return step(hop, { from: hop.state === 'active' ? (sent ?? latest) : null, payload });
}

function repeatsOf(hop: Hop, phase: Phase, facts: Facts): number {
  const saga = sagaOf(phase, facts);
  const isEnd = hop.id === phase.hops.filter((each) => OF_SAGA.has(each.name)).at(-1)?.id;
  if (saga === undefined || saga.nextRunAt !== null || !isEnd) return 0;
  return Math.max(0, saga.attempts - (saga.steps.length - 1) - (saga.failedAttempts?.length ?? 0));
}

function sagaOf(phase: Phase, facts: Facts): Saga | undefined {
  return facts.sagas?.find((each) => each.version === phase.version);
}

/** The attempts of the saga's steps that failed, each from its begin to its end. */
function attempts(phase: Phase, facts: Facts): readonly Step[] {
  if (phase.cause === 'cancelled') return [];
  return (sagaOf(phase, facts)?.failedAttempts ?? []).map((failure): Step => {
    const until = parseTime(failure.at);
    return {
      ...UNKNOWN,
      id: `v${phase.version.toString()}-attempt-${failure.at}`,
      name: 'attempt',
      lane: 'processing',
      state: 'failed',
      detail: failure.step,
      from: until === null ? null : until - failure.seconds * 1000,
      until,
      failure,
    };
  });
}

/** The event that a service consumes here. */
function consumedHere(hop: Hop, phase: Phase, facts: Facts): AnnouncedEvent | undefined {
  return announcedIn(hop, phase, facts).find((each) => isForNotification(each) === (hop.name === 'record'));
}

function payloadOf(hop: Hop, phase: Phase, facts: Facts): object | null {
  if (hop.name === 'record' || hop.name === 'push') {
    const isOf = (each: { readonly kind: string; readonly version: number }): boolean =>
      each.kind === hop.detail && (each.kind !== 'UPDATED' || each.version === phase.version);
    const pushed = facts.live.find((each) => isOf(each.notification))?.notification;
    return hop.name === 'push' ? (pushed ?? null) : (facts.history?.find(isOf) ?? null);
  }
  if (hop.name === 'start') return sagaOf(phase, facts) ?? null;
  return null;
}

/** What the inventory did: a point within the call of the processing service. */
function operation(hop: Hop, phase: Phase, facts: Facts): readonly Step[] {
  if (hop.name !== 'take' && hop.name !== 'release') return [];
  return operationsOf(phase.version, facts).flatMap((each): readonly Step[] => {
    const at = parseTime(hop.name === 'take' ? each.createdAt : each.releasedAt);
    if (at === null) return [];
    const taken = { state: each.outcome === 'taken' ? 'done' : 'failed', detail: each.outcome } as const;
    const released = { state: 'compensated', detail: 'released' } as const;
    return [
      {
        ...step(hop, { from: at, until: at, payload: each }),
        ...(hop.name === 'take' ? taken : released),
        id: `${hop.id}-${each.operationId}`,
        name: 'operation',
        lane: 'inventory',
      },
    ];
  });
}

// `<order>:<version>`, and `<order>:<version>:<n>` when the saga was restarted
function operationsOf(version: number, facts: Facts): readonly StockOperation[] {
  return (facts.operations ?? []).filter((each) => each.operationId.split(':')[1] === version.toString());
}

const UNKNOWN = {
  from: null,
  until: null,
  estimated: false,
  attempts: null,
  retry: null,
  failure: null,
  atMost: false,
  repeats: 0,
  payload: null,
  announced: null,
} as const;

function step(hop: Hop, known: Partial<Step>): Step {
  return {
    ...UNKNOWN,
    id: hop.id,
    name: hop.name,
    lane: laneOf(hop),
    state: hop.state,
    detail: hop.detail,
    retry: hop.retry,
    ...known,
  };
}

/** Where a hop spends its time: a call at the caller, who waits for it. */
function laneOf(hop: Hop): Lifeline {
  return hop.name === 'push' ? 'notification' : hop.from;
}

function inTime(steps: readonly Step[]): readonly Step[] {
  const place = (step: Step): number => step.from ?? Infinity;
  return [...steps].sort((one, other) => (place(one) === place(other) ? 0 : place(one) - place(other)));
}

/** The scale of a section: its begin and end, and round times between. */
export interface Scale {
  readonly begin: number;
  readonly end: number;
  /** Milliseconds after the begin. */
  readonly ticks: readonly number[];
}

const MAX_TICKS = 5;
const MIN_SPAN_MS = 1;

/** The scale that has all steps; open ones last until *now*. Null when no time is known. */
export function scaleOf(steps: readonly Step[], now: number): Scale | null {
  const times = steps.flatMap((step) => [step.from, step.from === null ? null : endOf(step, now)]);
  const known = times.filter((time) => time !== null);
  if (known.length === 0) return null;
  const begin = Math.min(...known);
  const end = Math.max(begin + MIN_SPAN_MS, ...known);
  const size = roundUp((end - begin) / MAX_TICKS);
  const count = Math.floor((end - begin) / size);
  return { begin, end, ticks: Array.from({ length: count + 1 }, (_, index) => index * size) };
}

/** The end of a step that has begun: *now* while it goes on. */
export function endOf(step: Step, now: number): number {
  const from = step.from ?? now;
  return Math.max(from, step.until ?? (step.state === 'active' ? now : from));
}

// 1, 2 or 5 times a power of ten
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((each) => each * power >= value) ?? 10) * power;
}
