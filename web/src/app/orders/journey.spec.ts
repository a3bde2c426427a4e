import { Facts } from './facts';
import { ORIGIN, facts, notification, order, received, saga } from './facts.testing';
import { Hop, HopState } from './hop';
import { Journey, journey } from './journey';

function all(drawn: Journey): readonly Hop[] {
  return drawn.phases.flatMap((phase) => phase.hops);
}

/** The states of all hops, as `name` or `name kind`, in order. */
function states(members: Partial<Facts>): string[] {
  return all(journey(facts(members))).map((each) => `${each.name} ${each.state}`);
}

function find(drawn: Journey, id: string): Hop {
  const found = all(drawn).find((each) => each.id === id);
  if (found === undefined)
    throw new Error(
      `${id} is none of ${all(drawn)
        .map((each) => each.id)
        .join(', ')}`,
    );
  return found;
}

const CLOSED: Partial<Facts> = {
  order: order({ status: 'CLOSED', updatedAt: '2026-11-22T10:00:00.058000Z' }),
  sagas: [saga({ STARTED: 20, STOCK_TAKEN: 40, DONE: 60 })],
  history: [notification('CREATED', 0, 30), notification('CLOSED', 61, 90)],
  live: [received(notification('CREATED', 0), 33), received(notification('CLOSED', 61), 95)],
  timing: { tookMs: 25, stockMs: 4.5, saveMs: 3.25, traceId: 'b'.repeat(32) },
};

describe('the journey of an order that was closed', () => {
  const drawn = journey(facts(CLOSED));

  it('is done in every hop and settled', () => {
    expect(states(CLOSED)).toEqual(
      ['place', 'check', 'save', 'announce', 'record', 'push', 'start', 'take', 'close', 'tell', 'record', 'push'].map(
        (name) => `${name} done`,
      ),
    );
    expect(drawn).toMatchObject({ origin: ORIGIN, end: 'CLOSED', settled: true });
  });

  it.each([
    ['v1-place', null, 25],
    ['v1-check', null, 4.5],
    ['v1-save', 0, 3.25],
    ['CREATED-v1-announce', null, null],
    ['CREATED-v1-record', 30, 30],
    ['CREATED-v1-push', 33, 3],
    ['v1-start', 20, 20],
    ['v1-take', 40, 20],
    ['v1-close', 60, 20],
    ['CLOSED-v1-tell', 61, null],
    ['CLOSED-v1-record', 90, 29],
    ['CLOSED-v1-push', 95, 5],
  ])('has the end and the duration of %s', (id, at, tookMs) => {
    const hop = find(drawn, id);
    expect(hop.at === null ? null : hop.at - ORIGIN).toBe(at);
    expect(hop.tookMs).toBe(tookMs);
  });

  it('goes between the participants', () => {
    expect(all(drawn).map((each) => `${each.from} ${each.to}`)).toEqual([
      'client order',
      'order inventory',
      'order order',
      'order sqs',
      'sqs notification',
      'notification client',
      'sqs processing',
      'processing inventory',
      'processing order',
      'processing sqs',
      'sqs notification',
      'notification client',
    ]);
  });

  it('has the trace of the notification, else of the response', () => {
    expect(drawn.phases[0]?.traceId).toBe('a'.repeat(32));
    expect(journey(facts({ timing: CLOSED.timing ?? null })).phases[0]?.traceId).toBe('b'.repeat(32));
  });

  it('omits unmeasured times', () => {
    const elsewhere = journey(facts({ ...CLOSED, timing: null, live: [] }));
    for (const id of ['v1-place', 'v1-check']) {
      expect(find(elsewhere, id)).toMatchObject({ state: 'done', at: null, tookMs: null });
    }
    expect(find(elsewhere, 'CLOSED-v1-push')).toMatchObject({ state: 'unknown', at: null, tookMs: null });
    expect(elsewhere.settled).toBe(true);
  });

  it('omits negative durations of two clocks', () => {
    const early = journey(facts({ ...CLOSED, live: [received(notification('CLOSED', 61), -4000)] }));
    expect(find(early, 'CLOSED-v1-push')).toMatchObject({ state: 'done', tookMs: null });
  });
});

describe('the journey of an open order', () => {
  it('waits for the queue after the commit', () => {
    expect(states({})).toEqual([
      'place done',
      'check done',
      'save done',
      'announce active',
      'record active',
      'push pending',
      'start active',
      'take pending',
      'close pending',
      'tell pending',
      'record pending',
      'push pending',
    ]);
  });

  it.each<[string, Parameters<typeof saga>[0], HopState, HopState]>([
    ['takes stock when the saga has started', { STARTED: 20 }, 'active', 'pending'],
    ['closes the order when the stock is taken', { STARTED: 20, STOCK_TAKEN: 30 }, 'done', 'active'],
  ])('%s', (_, steps, take, close) => {
    const drawn = journey(facts({ sagas: [saga(steps)] }));
    expect(find(drawn, 'v1-take').state).toBe(take);
    expect(find(drawn, 'v1-close').state).toBe(close);
    expect(find(drawn, 'CREATED-v1-announce').state).toBe('done');
    expect(drawn.settled).toBe(false);
  });

  it('is not settled before the notification of its end', () => {
    const drawn = journey(facts({ ...CLOSED, history: [notification('CREATED', 0, 30)], live: [] }));
    expect(find(drawn, 'CLOSED-v1-tell').state).toBe('active');
    expect(find(drawn, 'CLOSED-v1-record').state).toBe('active');
    expect(drawn.settled).toBe(false);
  });

  it('is unknown where the history has expired', () => {
    const drawn = journey(facts({ ...CLOSED, history: [], live: [], now: ORIGIN + 40 * 24 * 3600 * 1000 }));
    expect(find(drawn, 'CREATED-v1-record').state).toBe('unknown');
    expect(find(drawn, 'CLOSED-v1-record').state).toBe('unknown');
    expect(drawn.settled).toBe(true);
  });

  it('shows a late step with its last error and its next attempt', () => {
    const late = saga(
      { STARTED: 20 },
      { late: true, attempts: 9, lastError: 'take stock: no answer', nextRunAt: '2026-11-22T10:00:45.000000Z' },
    );
    const take = find(journey(facts({ sagas: [late] })), 'v1-take');
    expect(take).toMatchObject({
      state: 'active',
      tookMs: null,
      retry: { error: 'take stock: no answer', attempts: 9, nextRunAt: ORIGIN + 45_000, late: true },
    });
  });

  it('omits the error of a step that succeeded later', () => {
    const overcome = saga({ STARTED: 20, STOCK_TAKEN: 4000, DONE: 4010 }, { lastError: 'take stock: no answer' });
    const drawn = journey(facts({ ...CLOSED, sagas: [overcome] }));
    expect(all(drawn).map((each) => each.retry)).toEqual(all(drawn).map(() => null));
  });
});

describe('the journey of an order that failed', () => {
  const reason = 'Not enough in stock.';
  const failed: Partial<Facts> = {
    order: order({ status: 'FAILED', failureReason: reason }),
    sagas: [saga({ STARTED: 20, FAILING: 35, FAILED: 50 }, { reason })],
    history: [notification('CREATED', 0, 30), notification('FAILED', 51, 80, { reason })],
  };

  it('shows the refused stock with its reason and the failed order', () => {
    const drawn = journey(facts(failed));
    expect(find(drawn, 'v1-take')).toMatchObject({ state: 'failed', tookMs: 15, detail: reason });
    expect(find(drawn, 'v1-fail')).toMatchObject({ state: 'done', tookMs: 15, to: 'order' });
    expect(find(drawn, 'FAILED-v1-tell')).toMatchObject({ state: 'done', detail: 'FAILED' });
    expect(all(drawn).some((each) => each.name === 'close')).toBe(false);
    expect(drawn).toMatchObject({ end: 'FAILED', settled: true });
  });

  it('is failing until the order service confirms it', () => {
    const drawn = journey(facts({ sagas: [saga({ STARTED: 20, FAILING: 35 }, { reason })] }));
    expect(find(drawn, 'v1-fail').state).toBe('active');
    expect(find(drawn, 'FAILED-v1-tell').state).toBe('pending');
  });

  it('is derived from the order while the processing service is unreachable', () => {
    const drawn = journey(facts({ ...failed, sagas: null }));
    expect(find(drawn, 'v1-take')).toMatchObject({ state: 'failed', detail: reason, at: null, tookMs: null });
    expect(drawn.settled).toBe(false);
  });
});

describe('the journey of an order that was cancelled while it was processed', () => {
  const reason = 'Order 7 is CANCELLED: it can no longer be closed.';
  const cancelled: Partial<Facts> = {
    order: order({ status: 'CANCELLED', updatedAt: '2026-11-22T10:00:00.030000Z' }),
    sagas: [saga({ STARTED: 20, STOCK_TAKEN: 40, RELEASING: 50, RELEASED: 58 }, { reason })],
    history: [notification('CREATED', 0, 30), notification('CANCELLED', 30, 55)],
  };

  it('releases the stock without another end', () => {
    const drawn = journey(facts(cancelled));
    expect(find(drawn, 'v1-take').state).toBe('done');
    expect(find(drawn, 'v1-close')).toMatchObject({ state: 'failed', detail: reason, tookMs: 10 });
    expect(find(drawn, 'v1-release')).toMatchObject({ state: 'compensated', tookMs: 8, to: 'inventory' });
    expect(all(drawn).some((each) => each.name === 'tell')).toBe(false);
    expect(drawn).toMatchObject({ end: 'CANCELLED', settled: true });
  });

  it('has the cancellation in its own phase', () => {
    const drawn = journey(facts(cancelled));
    expect(drawn.phases.map((phase) => phase.cause)).toEqual(['placed', 'cancelled']);
    expect(find(drawn, 'cancel')).toMatchObject({ from: 'client', to: 'order', state: 'done' });
    expect(find(drawn, 'cancel-save').at).toBe(ORIGIN + 30);
    expect(find(drawn, 'CANCELLED-v1-record')).toMatchObject({ state: 'done', tookMs: 25 });
  });

  it('is releasing until the release is confirmed', () => {
    const drawn = journey(facts({ ...cancelled, sagas: [saga({ STARTED: 20, STOCK_TAKEN: 40, RELEASING: 50 })] }));
    expect(find(drawn, 'v1-release')).toMatchObject({ state: 'active', at: null });
    expect(drawn.settled).toBe(false);
  });

  it('has the time of the cancellation from the order while the history is unreachable', () => {
    const drawn = journey(facts({ ...cancelled, history: null }));
    expect(find(drawn, 'cancel-save').at).toBe(ORIGIN + 30);
    expect(find(drawn, 'CANCELLED-v1-record').state).toBe('unknown');
  });
});

describe('the journey of an order that was changed', () => {
  const changed: Partial<Facts> = {
    order: order({ version: 2, status: 'CLOSED', updatedAt: '2026-11-22T10:00:00.120000Z' }),
    sagas: [
      saga({ STARTED: 20, STOCK_TAKEN: 40, RELEASING: 50, RELEASED: 58 }, { reason: 'Order 7 has version 2, not 1.' }),
      saga({ STARTED: 60, STOCK_TAKEN: 100, DONE: 121 }, { version: 2 }),
    ],
    history: [
      notification('CREATED', 0, 30),
      notification('UPDATED', 35, 70, { version: 2, traceId: 'c'.repeat(32) }),
      notification('CLOSED', 122, 150, { version: 2 }),
    ],
  };

  it('has a phase and a saga for each version', () => {
    const drawn = journey(facts(changed));
    expect(drawn.phases.map((phase) => [phase.cause, phase.version])).toEqual([
      ['placed', 1],
      ['changed', 2],
    ]);
    expect(find(drawn, 'v1-release').state).toBe('compensated');
    expect(find(drawn, 'v2-save').at).toBe(ORIGIN + 35);
    expect(find(drawn, 'v2-start').tookMs).toBe(25);
    expect(find(drawn, 'v2-close')).toMatchObject({ state: 'done', tookMs: 21 });
    expect(drawn.phases[1]?.traceId).toBe('c'.repeat(32));
    expect(drawn).toMatchObject({ end: 'CLOSED', settled: true });
  });

  it('makes a version wait for the previous one', () => {
    const older = saga({ STARTED: 20 }, { nextRunAt: '2026-11-22T10:00:01.000000Z' });
    const drawn = journey(
      facts({ order: order({ version: 2 }), sagas: [older, saga({ STARTED: 60 }, { version: 2 })] }),
    );
    expect(find(drawn, 'v1-take').state).toBe('active');
    expect(find(drawn, 'v2-take').state).toBe('pending');
  });

  it('has the end in the last version only', () => {
    const drawn = journey(facts(changed));
    expect(
      all(drawn)
        .filter((each) => each.name === 'tell')
        .map((each) => each.id),
    ).toEqual(['CLOSED-v2-tell']);
  });

  it('has unique and stable ids of hops', () => {
    const ids = all(journey(facts(changed))).map((each) => each.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(all(journey(facts())).every((each) => each.id !== '')).toBe(true);
  });

  it('includes a version that only a push has', () => {
    const drawn = journey(facts({ live: [received(notification('UPDATED', 35, undefined, { version: 2 }), 80)] }));
    expect(drawn.phases).toHaveLength(2);
    expect(find(drawn, 'UPDATED-v2-push').state).toBe('done');
  });

  it('does not wait for an update after the end', () => {
    const history = (changed.history ?? []).filter((each) => each.kind !== 'UPDATED');
    const drawn = journey(facts({ ...changed, history }));
    expect(find(drawn, 'UPDATED-v2-record').state).toBe('unknown');
    expect(drawn.settled).toBe(true);
  });
});

describe('the journey while a service is unreachable', () => {
  it('has unknown notifications without the notification service', () => {
    const drawn = journey(facts({ ...CLOSED, history: null, live: [] }));
    for (const id of ['CREATED-v1-record', 'CREATED-v1-push', 'CLOSED-v1-record', 'CLOSED-v1-push']) {
      expect(find(drawn, id)).toMatchObject({ state: 'unknown', at: null, tookMs: null });
    }
    expect(find(drawn, 'CLOSED-v1-tell').state).toBe('unknown');
    expect(find(drawn, 'v1-close')).toMatchObject({ state: 'done', tookMs: 20 });
    expect(drawn.settled).toBe(false);
  });

  it('has a recorded notification without a time from a push', () => {
    const drawn = journey(facts({ ...CLOSED, history: null }));
    expect(find(drawn, 'CLOSED-v1-record')).toMatchObject({ state: 'done', at: null, tookMs: null });
    expect(find(drawn, 'CLOSED-v1-push')).toMatchObject({ state: 'done', at: ORIGIN + 95, tookMs: null });
  });

  it('has unknown saga steps without the processing service', () => {
    const drawn = journey(facts({ sagas: null }));
    expect(['v1-start', 'v1-take'].map((id) => find(drawn, id).state)).toEqual(['unknown', 'unknown']);
    expect(['v1-close', 'CLOSED-v1-push'].map((id) => find(drawn, id).state)).toEqual(['pending', 'pending']);
    const closed = journey(facts({ ...CLOSED, sagas: null }));
    expect(find(closed, 'v1-take')).toMatchObject({ state: 'done', at: null, tookMs: null });
    expect(find(closed, 'v1-close')).toMatchObject({ state: 'done', at: ORIGIN + 58, tookMs: null });
  });

  it('is derived from the others without the order service', () => {
    const drawn = journey(facts({ ...CLOSED, order: null }));
    expect(drawn).toMatchObject({ origin: ORIGIN, end: 'CLOSED', settled: false });
    expect(find(drawn, 'v1-save')).toMatchObject({ state: 'done', at: ORIGIN });
  });

  it('is unknown when no service answers', () => {
    expect(new Set(states({ order: null, sagas: null, history: null }).map((each) => each.split(' ')[1]))).toEqual(
      new Set(['unknown']),
    );
  });
});

describe('the journey when facts arrive out of order', () => {
  const push = received(notification('CLOSED', 61), 95);

  it.each<[string, Partial<Facts>]>([
    ['a saga', { sagas: [] }],
    ['a saga that takes stock', { sagas: [saga({ STARTED: 20 })] }],
    ['a saga that closes', { sagas: [saga({ STARTED: 20, STOCK_TAKEN: 40 })] }],
    ['a processing service', { sagas: null }],
  ])('accepts the push of the end before %s', (_, members) => {
    const drawn = journey(facts({ ...members, live: [push] }));
    expect(drawn.end).toBe('CLOSED');
    expect(['v1-start', 'v1-take', 'v1-close'].map((id) => find(drawn, id).state)).toEqual(Array(3).fill('done'));
    expect(find(drawn, 'CLOSED-v1-push').state).toBe('done');
    expect(drawn.settled).toBe(false);
  });

  it('accepts the end of a saga before that of the order', () => {
    const drawn = journey(facts({ sagas: [saga({ STARTED: 20, STOCK_TAKEN: 40, DONE: 60 })] }));
    expect(find(drawn, 'v1-close')).toMatchObject({ state: 'done', tookMs: 20 });
    expect(find(drawn, 'CLOSED-v1-tell').state).toBe('active');
    expect(drawn.end).toBeNull();
  });

  it('is independent of the order of facts', () => {
    const { live = [], history = [] } = CLOSED;
    const turned = { ...CLOSED, live: [...live].reverse(), history: [...(history ?? [])].reverse() };
    expect(journey(facts(turned))).toEqual(journey(facts(CLOSED)));
  });

  it('accepts a failure from a push first', () => {
    const failure = received(notification('FAILED', 50, undefined, { reason: 'Gone.' }), 70);
    const drawn = journey(facts({ live: [failure] }));
    expect(find(drawn, 'v1-take')).toMatchObject({ state: 'failed', detail: 'Gone.' });
    expect(find(drawn, 'v1-fail').state).toBe('done');
  });
});
