import { Subject, of, throwError } from 'rxjs';

import { Problem } from '../api/problem';
import { Source, pause } from './source';

const AWAY = new Problem('processing', 503, 'Unavailable', '', null, []);

describe('pause', () => {
  it('is two seconds, and longer when there is nothing new for long', () => {
    const pauses = Array.from({ length: 12 }, (_, fruitless) => pause(fruitless));
    expect(pauses.slice(0, 5)).toEqual(Array(5).fill(2000));
    expect(pauses.slice(5)).toEqual([3000, 4500, 6750, 10125, 15000, 15000, 15000]);
  });
});

describe('Source', () => {
  let reads: Subject<number>[];
  let wanted: boolean;
  let source: Source<number>;

  beforeEach(() => {
    vi.useFakeTimers();
    reads = [];
    wanted = true;
    source = new Source(
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
    source.stop();
    vi.useRealTimers();
  });

  function answer(value: number): void {
    reads.at(-1)?.next(value);
    reads.at(-1)?.complete();
  }

  it('reads again after a pause, as long as there is more to come', () => {
    source.refresh();
    answer(1);
    expect(source.value()).toBe(1);
    vi.advanceTimersByTime(1999);
    expect(reads).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(reads).toHaveLength(2);
    wanted = false;
    answer(2);
    vi.advanceTimersByTime(60_000);
    expect([reads.length, source.value()]).toEqual([2, 2]);
  });

  it('reads once more, and only once, when it is asked to during a read', () => {
    source.refresh();
    source.refresh();
    source.refresh();
    expect(reads).toHaveLength(1);
    answer(1);
    expect(reads).toHaveLength(2);
    answer(2);
    expect(reads).toHaveLength(2);
  });

  it('keeps what it knew while the service is away, and asks less often', () => {
    source.refresh();
    answer(1);
    for (let tries = 0; tries < 20; tries += 1) {
      vi.advanceTimersToNextTimer();
      reads.at(-1)?.error(AWAY);
    }
    expect([source.value(), source.problem()]).toEqual([1, AWAY]);
    const before = reads.length;
    vi.advanceTimersByTime(14_999);
    expect(reads).toHaveLength(before);
    vi.advanceTimersByTime(1);
    answer(2);
    expect([source.value(), source.problem()]).toEqual([2, null]);
    vi.advanceTimersByTime(2000);
    expect(reads).toHaveLength(before + 2);
  });

  it('reads no more when it is stopped, whatever was under way', () => {
    source.refresh();
    source.refresh();
    const late = reads[0];
    source.stop();
    late?.next(1);
    vi.advanceTimersByTime(60_000);
    expect([reads.length, source.value()]).toEqual([1, null]);
  });

  it('knows nothing of another order', () => {
    source.put(1);
    source.forget();
    expect(source.value()).toBeNull();
    source.put(1);
    expect(source.value()).toBe(1);
  });

  it('takes an answer that comes at once', () => {
    const quick = new Source(
      'order',
      () => of(1),
      () => false,
    );
    quick.refresh();
    quick.refresh();
    expect(quick.value()).toBe(1);
    const failing = new Source(
      'order',
      () => throwError(() => AWAY),
      () => false,
    );
    failing.refresh();
    expect(failing.problem()).toBe(AWAY);
  });
});
