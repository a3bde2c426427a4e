import { Subject, of, throwError } from 'rxjs';

import { Problem } from './problem';
import { Poller, pause } from './poller';

const UNREACHABLE = new Problem('processing', 503, 'Unavailable', '', null, []);

describe('pause', () => {
  it('is two seconds, and grows with unchanged reads', () => {
    const pauses = Array.from({ length: 12 }, (_, unchangedReads) => pause(unchangedReads));
    expect(pauses.slice(0, 5)).toEqual(Array(5).fill(2000));
    expect(pauses.slice(5)).toEqual([3000, 4500, 6750, 10125, 15000, 15000, 15000]);
  });
});

describe('Poller', () => {
  let reads: Subject<number>[];
  let wanted: boolean;
  let poller: Poller<number>;

  beforeEach(() => {
    vi.useFakeTimers();
    reads = [];
    wanted = true;
    poller = new Poller(
      'processing',
      () => {
        const read = new Subject<number>();
        reads.push(read);
        return read;
      },
      () => wanted,
    );
  });

  afterEach(() => {
    poller.stop();
    vi.useRealTimers();
  });

  function answer(value: number): void {
    reads.at(-1)?.next(value);
    reads.at(-1)?.complete();
  }

  it('polls as long as an update is expected', () => {
    poller.refresh();
    answer(1);
    expect(poller.value()).toBe(1);
    vi.advanceTimersByTime(1999);
    expect(reads).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(reads).toHaveLength(2);
    wanted = false;
    answer(2);
    vi.advanceTimersByTime(60_000);
    expect([reads.length, poller.value()]).toEqual([2, 2]);
  });

  it('reads once more after a refresh during a read', () => {
    poller.refresh();
    poller.refresh();
    poller.refresh();
    expect(reads).toHaveLength(1);
    answer(1);
    expect(reads).toHaveLength(2);
    answer(2);
    expect(reads).toHaveLength(2);
  });

  it('keeps its value while the service is unreachable, and polls less often', () => {
    poller.refresh();
    answer(1);
    for (let tries = 0; tries < 20; tries += 1) {
      vi.advanceTimersToNextTimer();
      reads.at(-1)?.error(UNREACHABLE);
    }
    expect([poller.value(), poller.problem()]).toEqual([1, UNREACHABLE]);
    const before = reads.length;
    vi.advanceTimersByTime(14_999);
    expect(reads).toHaveLength(before);
    vi.advanceTimersByTime(1);
    answer(2);
    expect([poller.value(), poller.problem()]).toEqual([2, null]);
    vi.advanceTimersByTime(2000);
    expect(reads).toHaveLength(before + 2);
  });

  it('stops during a read too', () => {
    poller.refresh();
    poller.refresh();
    const late = reads[0];
    poller.stop();
    late?.next(1);
    vi.advanceTimersByTime(60_000);
    expect([reads.length, poller.value()]).toEqual([1, null]);
  });

  it('reads once for many hints', () => {
    poller.refreshIn(1000);
    vi.advanceTimersByTime(900);
    poller.refreshIn(1000);
    expect(reads).toHaveLength(0);
    vi.advanceTimersByTime(100);
    expect(reads).toHaveLength(1);
    answer(1);
    poller.refreshIn(1000);
    poller.stop();
    vi.advanceTimersByTime(60_000);
    expect(reads).toHaveLength(1);
  });

  it('tells each read, and when the last one succeeded', () => {
    const seen: number[] = [];
    const own = new Poller(
      'order',
      () => (seen.length < 2 ? of(1) : throwError(() => UNREACHABLE)),
      () => true,
      { pause: () => 500, onRead: (value) => seen.push(value) },
    );
    own.refresh();
    const first = own.readAt() ?? 0;
    vi.advanceTimersByTime(500);
    expect([seen, own.readAt()]).toEqual([[1, 1], first + 500]);
    vi.advanceTimersByTime(500);
    expect(own.readAt()).toBe(first + 500);
    own.stop();
  });

  it('shows what is set, not the answer of a read that began before', () => {
    poller.refresh();
    poller.refresh();
    const early = reads[0];
    poller.set(2);
    early?.next(1);
    expect([reads.length, poller.value()]).toEqual([1, 2]);
    poller.refresh();
    answer(3);
    expect(poller.value()).toBe(3);
  });

  it('is cleared for another order', () => {
    poller.set(1);
    poller.reset();
    expect(poller.value()).toBeNull();
    poller.set(1);
    expect(poller.value()).toBe(1);
  });

  it('handles a synchronous response', () => {
    const quick = new Poller(
      'order',
      () => of(1),
      () => false,
    );
    quick.refresh();
    quick.refresh();
    expect(quick.value()).toBe(1);
    const failing = new Poller(
      'order',
      () => throwError(() => UNREACHABLE),
      () => false,
    );
    failing.refresh();
    expect(failing.problem()).toBe(UNREACHABLE);
  });
});
