import { AnnouncedEvent } from '../api/evidence';
import { FailedAttempt } from '../api/sagas';
import { Facts } from './facts';
import { ORIGIN, facts, notification, order, received, saga, time } from './facts.testing';
import { journey } from './journey';
import { Section, Step, endOf, scaleOf, waterfall } from './waterfall';

function event(type: string, queue: string, stored: number, sent: number | null, version = 1): AnnouncedEvent {
  return {
    id: `${type}-${queue}`,
    key: `${type}:7:${version.toString()}`,
    type,
    subject: '7',
    queue,
    traceId: null,
    occurredAt: time(stored),
    storedAt: time(stored),
    sentAt: sent === null ? null : time(sent),
    setAside: false,
    attempts: 1,
  };
}

const CLOSED: Partial<Facts> = {
  order: order({ status: 'CLOSED', updatedAt: time(60) }),
  sagas: [saga({ STARTED: 20, STOCK_TAKEN: 40, DONE: 60 })],
  history: [notification('CREATED', 0, 30), notification('CLOSED', 61, 90)],
  live: [received(notification('CREATED', 0), 33), received(notification('CLOSED', 61), 95)],
  timing: { tookMs: 25, stockMs: 4, saveMs: 3, traceId: null },
  events: [
    event('order-created', 'processing-queue', 0, 10),
    event('order-created', 'notification-queue', 0, 12),
    event('order-processed', 'notification-queue', 61, 70),
  ],
  operations: [{ operationId: '7:1', outcome: 'taken', items: [], createdAt: time(30), releasedAt: null }],
};

function sections(members: Partial<Facts>): readonly Section[] {
  const known = facts(members);
  return waterfall(journey(known), known);
}

function find(members: Partial<Facts>, id: string): Step {
  const found = sections(members)
    .flatMap((section) => section.steps)
    .find((step) => step.id === id);
  if (found === undefined) throw new Error(`there is no step ${id}`);
  return found;
}

describe('waterfall', () => {
  it.each([
    ['v1-place', -13, 12],
    ['v1-check', -4, 0],
    ['v1-save', 0, 3],
    ['CREATED-v1-announce-processing-queue', 0, 10],
    ['CREATED-v1-announce-notification-queue', 0, 12],
    ['v1-start', 10, 20],
    ['CREATED-v1-record', 12, 30],
    ['CREATED-v1-push', 30, 33],
    ['v1-take', 20, 40],
    ['v1-take-7:1', 30, 30],
    ['v1-close', 40, 60],
    ['CLOSED-v1-tell-notification-queue', 61, 70],
    ['CLOSED-v1-record', 70, 90],
    ['CLOSED-v1-push', 90, 95],
  ])('has the time of %s', (id, from, until) => {
    const step = find(CLOSED, id);
    expect([(step.from ?? 0) - ORIGIN, (step.until ?? 0) - ORIGIN]).toEqual([from, until]);
    expect(step.state).toBe('done');
  });

  it('has an event in the outbox no longer than until it was received', () => {
    const late = event('order-created', 'processing-queue', 0, 100);
    const closed = event('order-processed', 'notification-queue', 61, 100);
    for (const events of [
      [late, closed],
      [{ ...late, sentAt: null }, closed],
    ]) {
      const steps = [
        find({ ...CLOSED, events }, 'CREATED-v1-announce-processing-queue'),
        find({ ...CLOSED, events }, 'CLOSED-v1-tell-notification-queue'),
      ];
      expect(steps).toMatchObject([
        { until: ORIGIN + 20, atMost: true, state: 'done' },
        { until: ORIGIN + 90, atMost: true, state: 'done' },
      ]);
      const received = find({ ...CLOSED, events }, 'v1-start');
      expect([received.from, received.until]).toEqual([ORIGIN + 20, ORIGIN + 20]);
    }
    expect(find(CLOSED, 'CREATED-v1-announce-processing-queue').atMost).toBe(false);
    const again = { ...late, sentAt: null, attempts: 2 };
    expect(find({ ...CLOSED, events: [again] }, 'CREATED-v1-announce-processing-queue').state).toBe('active');
  });

  it('has a notification that was restored while its event was in the outbox', () => {
    const type = 'order-created';
    const stuck = [event(type, 'processing-queue', 0, null), event(type, 'notification-queue', 0, null)];
    for (const attempts of [0, 1, 4]) {
      const known: Partial<Facts> = {
        history: [notification('CREATED', 0, 31_100)],
        events: stuck.map((each) => ({ ...each, attempts })),
        now: ORIGIN + 31_200,
      };
      expect(find(known, 'CREATED-v1-announce-notification-queue')).toMatchObject({
        ...{ state: 'active', until: null, atMost: false },
      });
      expect(find(known, 'CREATED-v1-record')).toMatchObject({
        ...{ name: 'recorded', state: 'done', lane: 'notification', from: ORIGIN + 31_100, until: ORIGIN + 31_100 },
      });
      expect(find(known, 'v1-start')).toMatchObject({ state: 'pending', from: null });
      expect(journey(facts(known)).phases[0]?.hops[3]).toMatchObject({ name: 'announce', state: 'active' });
    }
    // and after SQS is back
    const sent = stuck.map((each) => ({ ...each, attempts: 4, sentAt: time(60_000) }));
    const known: Partial<Facts> = { history: [notification('CREATED', 0, 31_100)], events: sent };
    expect(find(known, 'CREATED-v1-announce-notification-queue')).toMatchObject({
      ...{ state: 'done', until: ORIGIN + 60_000, atMost: false },
    });
    expect(find(known, 'CREATED-v1-record').name).toBe('recorded');
    expect(find(known, 'v1-start')).toMatchObject({ state: 'active', from: ORIGIN + 60_000 });
    expect(journey(facts(known)).phases[0]?.hops[3]).toMatchObject({ name: 'announce', state: 'done' });
  });

  it('has the end of an order that was restored while its event was in the outbox', () => {
    const ended = event('order-processed', 'notification-queue', 61, null);
    const known: Partial<Facts> = {
      ...CLOSED,
      history: [notification('CREATED', 0, 30), notification('CLOSED', 61, 30_500)],
      live: [],
      events: [...(CLOSED.events ?? []).slice(0, 2), ended],
    };
    expect(find(known, 'CLOSED-v1-tell-notification-queue')).toMatchObject({ state: 'active', atMost: false });
    expect(find(known, 'CLOSED-v1-record').name).toBe('recorded');
    const tell = journey(facts(known)).phases[0]?.hops.find((each) => each.name === 'tell');
    expect(tell?.state).toBe('active');
  });

  it('is in order of time, and what is parallel overlaps', () => {
    const steps = sections(CLOSED)[0]!.steps;
    const begins = steps.map((step) => step.from ?? Infinity);
    expect(begins).toEqual([...begins].sort((one, other) => one - other));
    const [toSaga, toUser] = [find(CLOSED, 'v1-start'), find(CLOSED, 'CREATED-v1-record')];
    expect(toUser.from).toBeLessThan(toSaga.until ?? 0);
  });

  it('says without events when something arrived, not how long it was in the outbox', () => {
    const without = { ...CLOSED, events: [] };
    expect(find(without, 'CREATED-v1-announce').from).toBeNull();
    expect((find(without, 'v1-start').from ?? 0) - ORIGIN).toBe(0);
  });

  it('has steps that go on, and those that wait', () => {
    const open: Partial<Facts> = {
      sagas: [saga({ STARTED: 20 }, { lastError: 'no answer', attempts: 3 })],
      history: [],
      events: [
        event('order-created', 'processing-queue', 0, 10),
        event('order-created', 'notification-queue', 0, null),
      ],
    };
    expect(find(open, 'v1-take')).toMatchObject({
      state: 'active',
      from: ORIGIN + 20,
      until: null,
      retry: { error: 'no answer', attempts: 3 },
    });
    expect(find(open, 'CREATED-v1-announce-notification-queue')).toMatchObject({ state: 'active', until: null });
    expect(find(open, 'v1-close')).toMatchObject({ state: 'pending', from: null });
  });

  it('has a refused operation, a release, and an event that was set aside', () => {
    const operations = [
      { operationId: '7:1', outcome: 'taken', items: [], createdAt: time(30), releasedAt: time(80) },
      { operationId: '7:1:2', outcome: 'short', items: [], createdAt: time(90), releasedAt: null },
      { operationId: '7:11', outcome: 'taken', items: [], createdAt: time(30), releasedAt: null },
    ];
    const known: Partial<Facts> = {
      sagas: [saga({ STARTED: 20, STOCK_TAKEN: 40, RELEASING: 60, RELEASED: 85 })],
      order: order({ status: 'CANCELLED', updatedAt: time(50) }),
      events: [{ ...event('order-created', 'processing-queue', 0, 10), setAside: true, attempts: 4 }],
      operations,
    };
    expect(find(known, 'v1-take-7:1:2')).toMatchObject({ state: 'failed', detail: 'short' });
    expect(find(known, 'v1-release-7:1')).toMatchObject({ state: 'compensated', from: ORIGIN + 80 });
    expect(() => find(known, 'v1-take-7:11')).toThrow();
    expect(find(known, 'CREATED-v1-announce-processing-queue')).toMatchObject({ state: 'failed', attempts: 4 });
  });

  it('has each failed attempt from its begin to its end, under the version whose saga it was', () => {
    const failure: FailedAttempt = {
      step: 'take stock',
      at: time(3000),
      seconds: 2.5,
      kind: 'outcome-unknown',
      error: 'no answer within 2 s',
    };
    const second = saga({ STARTED: 520 }, { version: 2, attempts: 1, failedAttempts: [failure] });
    const steps = sections({
      order: order({ version: 2, updatedAt: time(400) }),
      sagas: [saga({ STARTED: 20, RELEASING: 410, RELEASED: 500 }), second],
      history: [notification('CREATED', 0, 30), notification('UPDATED', 400, 430, { version: 2 })],
    }).map((section) => section.steps.filter((step) => step.name === 'attempt'));
    expect(steps).toEqual([
      [],
      [
        expect.objectContaining({
          ...{ state: 'failed', detail: 'take stock', lane: 'processing', failure },
          ...{ from: ORIGIN + 500, until: ORIGIN + 3000 },
        }),
      ],
    ]);
  });

  it('tells at the end of a saga how many failed attempts are no longer kept', () => {
    const failure = { step: 'close order', at: time(50), seconds: 0.01, kind: 'unavailable', error: null } as const;
    const failing = saga({ STARTED: 20, STOCK_TAKEN: 40, DONE: 60 }, { attempts: 5, failedAttempts: [failure] });
    const failed = { ...CLOSED, sagas: [failing] };
    expect([find(failed, 'v1-take').repeats, find(failed, 'v1-close').repeats]).toEqual([0, 2]);
    expect(find(CLOSED, 'v1-close').repeats).toBe(0);
  });

  it('knows which service has what an event says', () => {
    expect(find(CLOSED, 'CREATED-v1-announce-processing-queue').announced?.announcer).toBe('order');
    expect(find(CLOSED, 'CLOSED-v1-tell-notification-queue').announced).toEqual({
      id: 'order-processed-notification-queue',
      announcer: 'processing',
    });
    expect(find(CLOSED, 'v1-take').announced).toBeNull();
  });

  it('folds a version once nothing of it goes on', () => {
    const second = saga({ STARTED: 130 }, { version: 2 });
    const changed = (first: Facts['sagas']): boolean[] =>
      sections({
        order: order({ version: 2, updatedAt: time(100) }),
        sagas: [...(first ?? []), second],
        history: [notification('CREATED', 0, 30), notification('UPDATED', 100, 130, { version: 2 })],
      }).map((section) => section.superseded);
    expect(changed([saga({ STARTED: 20, STOCK_TAKEN: 40, RELEASING: 110, RELEASED: 120 })])).toEqual([true, false]);
    expect(changed([saga({ STARTED: 20, STOCK_TAKEN: 40 })])).toEqual([false, false]);
  });
});

describe('scaleOf', () => {
  it('has all steps, until now while one goes on, and at most six round ticks', () => {
    const steps = sections(CLOSED)[0]!.steps;
    expect(scaleOf(steps, ORIGIN + 10_000)).toEqual({
      begin: ORIGIN - 13,
      end: ORIGIN + 95,
      ticks: [0, 50, 100],
    });
    const goesOn = steps.map((step): Step => ({ ...step, state: 'active', until: null }));
    expect(scaleOf(goesOn, ORIGIN + 987)).toMatchObject({ end: ORIGIN + 987, ticks: [0, 200, 400, 600, 800, 1000] });
    expect(endOf(goesOn[0]!, ORIGIN - 500)).toBe(goesOn[0]!.from);
  });

  it('is null when no time is known', () => {
    expect(scaleOf([], 0)).toBeNull();
  });
});
