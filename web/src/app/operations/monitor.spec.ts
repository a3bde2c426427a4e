import { TestBed } from '@angular/core/testing';
import { NEVER, Observable, of, throwError } from 'rxjs';

import { Metrics, Readiness, Replica } from '../api/metrics';
import { Problem } from '../api/problem';
import { LateSaga, LateSagas } from './late-sagas';
import { FRESH_MS, INTERVAL_MS, Monitor } from './monitor';

const ORDER: Replica = { service: 'order', number: 1, of: 1, address: 'http://o', balanced: false };
const PUSH_1: Replica = { service: 'notification', number: 1, of: 2, address: 'http://n1', balanced: false };
const PUSH_2: Replica = { service: 'notification', number: 2, of: 2, address: 'http://n2', balanced: false };
const DOWN = (replica: Replica): Observable<never> =>
  throwError(() => new Problem(replica.service, 0, '', 'connection refused', null, []));

describe('Monitor', () => {
  let monitor: Monitor;
  let readiness: (replica: Replica) => Observable<Readiness>;
  let numbers: (replica: Replica) => Observable<string>;
  let late: () => Observable<readonly LateSaga[]>;
  let asked: number;

  beforeEach(() => {
    vi.useFakeTimers();
    asked = 0;
    readiness = () => of({ ready: true, checks: { database: 'ok' } });
    numbers = () => of('process_start_time_seconds 1\norderstream_push_connections{protocol="sse",state="live"} 1\n');
    late = () => of([]);
    TestBed.configureTestingModule({
      providers: [
        {
          provide: Metrics,
          useValue: {
            replicas: () => [ORDER, PUSH_1, PUSH_2],
            readiness: (replica: Replica) => {
              asked += 1;
              return readiness(replica);
            },
            numbers: (replica: Replica) => numbers(replica),
          },
        },
        { provide: LateSagas, useValue: { find: () => late() } },
      ],
    });
    monitor = TestBed.inject(Monitor);
  });

  afterEach(() => vi.useRealTimers());

  it('knows nothing at first, and does not say that all is well', () => {
    expect(monitor.level()).toBeNull();
    expect(monitor.at()).toBeNull();
  });

  it('finds a system well that says so', async () => {
    await monitor.look();
    expect(monitor.replicas().map((each) => each.state)).toEqual(['ready', 'ready', 'ready']);
    expect(monitor.level()).toBe('ok');
    expect(monitor.facts().push?.connections[0]?.live).toBe(3);
  });

  it('names who is down, and has the rest', async () => {
    readiness = (replica) => (replica === ORDER ? DOWN(replica) : of({ ready: true, checks: {} }));
    numbers = (replica) => (replica === ORDER ? DOWN(replica) : of('a_total 1'));
    await monitor.look();
    expect(monitor.replicas().map((each) => [each.state, each.error])).toEqual([
      ['unreachable', ''],
      ['ready', null],
      ['ready', null],
    ]);
    expect(monitor.findings()).toMatchObject([{ kind: 'unreachable', level: 'bad', replica: ORDER }]);
    expect([...monitor.silent()]).toEqual([['order', null]]);
  });

  it('says what stands in front of a service when that answers', async () => {
    readiness = (replica) => throwError(() => new Problem(replica.service, 502, 'Bad Gateway', '', null, []));
    await monitor.look();
    expect(monitor.replicas()[0]?.error).toBe('Bad Gateway');
  });

  it('is back when the service is', async () => {
    readiness = DOWN;
    await monitor.look();
    readiness = () => of({ ready: true, checks: {} });
    await monitor.look();
    expect(monitor.level()).toBe('ok');
  });

  it('keeps what a silent service told last, for show only', async () => {
    await monitor.look();
    numbers = DOWN;
    vi.advanceTimersByTime(FRESH_MS + 1);
    await monitor.look();
    expect(monitor.facts().push).toBeNull();
    expect(monitor.lastFacts().push?.connections[0]?.live).toBe(3);
    expect([...monitor.silent().keys()]).toEqual(['order', 'notification']);
  });

  it('does not count connections of a replica that is gone', async () => {
    await monitor.look();
    numbers = (replica) =>
      replica === PUSH_2 ? DOWN(replica) : of('orderstream_push_connections{protocol="sse",state="live"} 1');
    vi.advanceTimersByTime(FRESH_MS + 1);
    await monitor.look();
    expect(monitor.lastFacts().push?.connections[0]?.live).toBe(2);
    expect(monitor.silent().size).toBe(0);
  });

  it('takes a page in place of numbers for silence', async () => {
    numbers = () => of('<!doctype html>\n<title>no</title>');
    await monitor.look();
    expect(monitor.silent().size).toBe(2);
  });

  it('has rates from the second look on', async () => {
    let placed = 10;
    numbers = () =>
      of(`orderstream_http_request_seconds_count{method="POST",route="/orders",status="201"} ${placed.toString()}`);
    await monitor.look();
    expect(monitor.history().at(-1)?.values.placed).toBeUndefined();
    vi.advanceTimersByTime(5000);
    placed += 5;
    await monitor.look();
    expect(monitor.history().at(-1)?.values.placed).toBe(60);
  });

  it('keeps the late sagas of before when they can’t be asked for', async () => {
    const saga: LateSaga = { orderId: 1, version: 1, state: 'STARTED', attempts: 3, lastError: 'x', nextRunAt: null };
    late = () => of([saga]);
    await monitor.look();
    late = () => DOWN(ORDER);
    await monitor.look();
    expect(monitor.late().sagas).toEqual([saga]);
    expect(monitor.late().problem).not.toBeNull();
  });

  it('looks every five seconds as long as somebody watches, one round at a time', async () => {
    const watching = monitor.rounds.subscribe();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toBe(3);
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(asked).toBe(6);
    readiness = () => NEVER;
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
    expect(asked).toBe(9);
    watching.unsubscribe();
    await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
    expect(asked).toBe(9);
  });
});
