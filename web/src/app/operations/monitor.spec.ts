import { TestBed } from '@angular/core/testing';
import { NEVER, Observable, Subject, delay, of, switchMap, throwError, timer } from 'rxjs';

import { Metrics, Readiness, Replica } from '../api/metrics';
import { Problem } from '../api/problem';
import { LateSaga, LateSagas } from './late-sagas';
import { STALE_AFTER_MS, INTERVAL_MS, Monitor } from './monitor';

const ORDER: Replica = { service: 'order', number: 1, of: 1, address: 'http://o', balanced: false };
const PUSH_1: Replica = { service: 'notification', number: 1, of: 2, address: 'http://n1', balanced: false };
const PUSH_2: Replica = { service: 'notification', number: 2, of: 2, address: 'http://n2', balanced: false };
const DOWN = (replica: Replica): Observable<never> =>
  throwError(() => new Problem(replica.service, 0, '', 'connection refused', null, []));

describe('Monitor', () => {
  let monitor: Monitor;
  let readiness: (replica: Replica) => Observable<Readiness>;
  let metrics: (replica: Replica) => Observable<string>;
  let late: () => Observable<readonly LateSaga[]>;
  let polled: number;

  beforeEach(() => {
    sessionStorage.clear();
    vi.useFakeTimers();
    polled = 0;
    readiness = () => of({ ready: true, checks: { database: 'ok' } });
    metrics = () => of('process_start_time_seconds 1\norderstream_push_connections{protocol="sse",state="live"} 1\n');
    late = () => of([]);
    TestBed.configureTestingModule({
      providers: [
        {
          provide: Metrics,
          useValue: {
            replicas: () => [ORDER, PUSH_1, PUSH_2],
            readiness: (replica: Replica) => {
              polled += 1;
              return readiness(replica);
            },
            scrape: (replica: Replica) => metrics(replica),
          },
        },
        { provide: LateSagas, useValue: { find: () => late() } },
      ],
    });
    monitor = TestBed.inject(Monitor);
  });

  afterEach(() => vi.useRealTimers());

  it('has no level before the first poll', () => {
    expect(monitor.level()).toBeNull();
    expect(monitor.at()).toBeNull();
  });

  it('is healthy when all replicas are ready', async () => {
    await monitor.poll();
    expect(monitor.replicas().map((each) => each.state)).toEqual(['ready', 'ready', 'ready']);
    expect(monitor.level()).toBe('ok');
    expect(monitor.stats().push?.connections[0]?.live).toBe(3);
  });

  it('names the unreachable replica and has the rest', async () => {
    readiness = (replica) => (replica === ORDER ? DOWN(replica) : of({ ready: true, checks: {} }));
    metrics = (replica) => (replica === ORDER ? DOWN(replica) : of('a_total 1'));
    await monitor.poll();
    expect(monitor.replicas().map((each) => [each.state, each.error])).toEqual([
      ['unreachable', ''],
      ['ready', null],
      ['ready', null],
    ]);
    expect(monitor.findings()).toMatchObject([{ kind: 'unreachable', level: 'bad', replica: ORDER }]);
    expect([...monitor.stale()]).toEqual([['order', null]]);
  });

  it('reports the response of a proxy', async () => {
    readiness = (replica) => throwError(() => new Problem(replica.service, 502, 'Bad Gateway', '', null, []));
    await monitor.poll();
    expect(monitor.replicas()[0]?.error).toBe('Bad Gateway');
  });

  it('recovers with the service', async () => {
    readiness = DOWN;
    await monitor.poll();
    readiness = () => of({ ready: true, checks: {} });
    await monitor.poll();
    expect(monitor.level()).toBe('ok');
  });

  it('keeps stale metrics for display only', async () => {
    await monitor.poll();
    metrics = DOWN;
    vi.advanceTimersByTime(STALE_AFTER_MS + 1);
    await monitor.poll();
    expect(monitor.stats().push).toBeNull();
    expect(monitor.latestStats().push?.connections[0]?.live).toBe(3);
    expect([...monitor.stale().keys()]).toEqual(['order', 'notification']);
  });

  it('ignores connections of a replica that is gone', async () => {
    await monitor.poll();
    metrics = (replica) =>
      replica === PUSH_2 ? DOWN(replica) : of('orderstream_push_connections{protocol="sse",state="live"} 1');
    vi.advanceTimersByTime(STALE_AFTER_MS + 1);
    await monitor.poll();
    expect(monitor.latestStats().push?.connections[0]?.live).toBe(2);
    expect(monitor.stale().size).toBe(0);
  });

  it('knows nothing after a time without polls', async () => {
    let placed = 10;
    metrics = () =>
      of(`orderstream_http_request_seconds_count{method="POST",route="/orders",status="201"} ${placed.toString()}`);
    late = () => of([{ orderId: 1, version: 1, state: 'STARTED', attempts: 3, lastError: 'x', nextRunAt: null }]);
    await monitor.poll();
    vi.advanceTimersByTime(20 * 60_000);
    placed += 5;
    readiness = () => NEVER;
    late = () => NEVER;
    void monitor.poll();
    await vi.advanceTimersByTimeAsync(0);
    expect(monitor.replicas().map((each) => each.state)).toEqual(['unknown', 'unknown', 'unknown']);
    expect(monitor.late().sagas).toBeNull();
    // the five orders are not of the last minute
    expect(monitor.stats().traffic).toEqual([]);
  });

  it('reads again what it was reading when the machine slept', async () => {
    let placed = 10;
    metrics = () =>
      of(`orderstream_http_request_seconds_count{method="POST",route="/orders",status="201"} ${placed.toString()}`);
    await monitor.poll();
    vi.advanceTimersByTime(INTERVAL_MS);
    const answers = new Subject<Readiness>();
    readiness = () => answers;
    placed += 5;
    const poll = monitor.poll();
    vi.setSystemTime(Date.now() + 20 * 60_000);
    readiness = () => of({ ready: true, checks: {} });
    answers.next({ ready: false, checks: {} });
    await poll;
    expect(polled).toBe(9);
    expect(monitor.history().map((each) => each.values.placed)).toEqual([undefined]);
    expect(monitor.log()?.incidents).toEqual([]);
  });

  it('is not healthy while metrics are unknown', async () => {
    metrics = (replica) => (replica === ORDER ? NEVER : of('a_total 1'));
    void monitor.poll();
    await vi.advanceTimersByTimeAsync(0);
    expect(monitor.replicas().map((each) => each.state)).toEqual(['ready', 'ready', 'ready']);
    expect(monitor.level()).toBeNull();
    metrics = (replica) => (replica === ORDER ? DOWN(replica) : of('a_total 1'));
    await monitor.poll();
    expect(monitor.level()).toBeNull();
    metrics = () => of('a_total 1');
    await monitor.poll();
    expect(monitor.level()).toBe('ok');
  });

  it('treats a response without metrics as missing', async () => {
    metrics = () => of('<!doctype html>\n<title>no</title>');
    await monitor.poll();
    expect(monitor.stale().size).toBe(2);
  });

  it('has rates from the second poll on', async () => {
    let placed = 10;
    metrics = () =>
      of(`orderstream_http_request_seconds_count{method="POST",route="/orders",status="201"} ${placed.toString()}`);
    await monitor.poll();
    expect(monitor.history().at(-1)?.values.placed).toBeUndefined();
    vi.advanceTimersByTime(5000);
    placed += 5;
    await monitor.poll();
    expect(monitor.history().at(-1)?.values.placed).toBe(60);
  });

  it('keeps the last late sagas when reading fails', async () => {
    const saga: LateSaga = { orderId: 1, version: 1, state: 'STARTED', attempts: 3, lastError: 'x', nextRunAt: null };
    late = () => of([saga]);
    await monitor.poll();
    late = () => DOWN(ORDER);
    await monitor.poll();
    expect(monitor.late().sagas).toEqual([saga]);
    expect(monitor.late().problem).not.toBeNull();
  });

  it('polls every five seconds while subscribed, one poll at a time', async () => {
    const watching = monitor.polls.subscribe();
    await vi.advanceTimersByTimeAsync(0);
    expect(polled).toBe(3);
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(polled).toBe(6);
    readiness = () => NEVER;
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
    expect(polled).toBe(9);
    watching.unsubscribe();
    await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
    expect(polled).toBe(9);
  });

  it('takes nothing back by the answers to an earlier poll that come later', async () => {
    const LATE = 1000;
    const saga: LateSaga = { orderId: 1, version: 1, state: 'STARTED', attempts: 3, lastError: 'x', nextRunAt: null };
    const placed = 'orderstream_http_request_seconds_count{method="POST",route="/orders",status="201"}';
    await monitor.poll();
    for (const failed of [false, true]) {
      readiness = (replica) =>
        timer(LATE).pipe(switchMap(() => (failed ? DOWN(replica) : of({ ready: false, checks: { database: 'no' } }))));
      metrics = () => of(`${placed} 10`).pipe(delay(LATE));
      late = () => timer(LATE).pipe(switchMap(() => (failed ? DOWN(ORDER) : of([saga]))));
      const earlier = monitor.poll();
      await vi.advanceTimersByTimeAsync(LATE / 2);
      readiness = () => of({ ready: true, checks: {} });
      metrics = () => of(`${placed} 20`);
      late = () => of([]);
      await monitor.poll();
      await vi.advanceTimersByTimeAsync(LATE);
      await earlier;
      expect(monitor.level()).toBe('ok');
      expect(monitor.replicas().map((each) => each.metrics?.samples[0]?.value)).toEqual([20, 20, 20]);
      expect(monitor.late()).toEqual({ sagas: [], problem: null });
    }
  });

  describe('while one service hangs', () => {
    const LIMIT_MS = 4000;
    const late = (replica: Replica): Observable<never> => timer(LIMIT_MS).pipe(switchMap(() => DOWN(replica)));
    let began: number;

    beforeEach(async () => {
      await monitor.poll();
      vi.advanceTimersByTime(INTERVAL_MS);
      began = Date.now();
      const soon = 100;
      readiness = (replica) =>
        replica === ORDER ? late(replica) : of({ ready: false, checks: { feed: 'no' } }).pipe(delay(soon));
    });

    it('has each incident from the time of the answer that told it, or of the request that failed', async () => {
      const poll = monitor.poll();
      await vi.advanceTimersByTimeAsync(LIMIT_MS);
      await poll;
      const begins = monitor.log()?.incidents.map((each) => [each.cause.kind, each.from - began]);
      expect(begins).toEqual([
        ['unreachable', 0],
        ['not-ready', 100],
        ['not-ready', 100],
      ]);

      vi.advanceTimersByTime(INTERVAL_MS);
      began = Date.now();
      readiness = (replica) => (replica === ORDER ? late(replica) : of({ ready: true, checks: {} }).pipe(delay(200)));
      const next = monitor.poll();
      await vi.advanceTimersByTimeAsync(LIMIT_MS);
      await next;
      const ends = monitor.log()?.incidents.map((each) => each.until && each.until - began);
      expect(ends).toEqual([null, 200, 200]);
    });

    it('shows what came of the others at once', async () => {
      const poll = monitor.poll();
      await vi.advanceTimersByTimeAsync(100);
      expect(monitor.findings().map((each) => each.kind)).toEqual(['not-ready', 'not-ready']);
      expect(monitor.at()).toBe(began + 100);
      await vi.advanceTimersByTimeAsync(LIMIT_MS);
      await poll;
    });

    it('asks the others as often', async () => {
      const watching = monitor.polls.subscribe();
      polled = 0;
      await vi.advanceTimersByTimeAsync(3 * INTERVAL_MS);
      expect(polled).toBe(9);
      watching.unsubscribe();
    });
  });

  it('tells of no missing metrics before they were asked for', async () => {
    metrics = (replica) => (replica === ORDER ? NEVER : of('a_total 1'));
    void monitor.poll();
    await vi.advanceTimersByTimeAsync(0);
    expect([...monitor.asked()]).toEqual(['notification']);
    expect(monitor.stale().size).toBe(0);
  });
});
