import { CounterTracker, Scrape, CounterDelta, increases, increasesOf, ratePerSecond } from './counter-tracker';
import { parseExposition } from './exposition';

function scrape(at: number, startedAt: number | null, text: string): Scrape {
  const start = startedAt === null ? '' : `process_start_time_seconds ${startedAt.toString()}\n`;
  return { at, metrics: parseExposition(`${start}${text}\n`) };
}

function step(seconds: number, text: string, at = seconds * 1000): CounterDelta {
  return { at, seconds, increases: parseExposition(text) };
}

describe('increases', () => {
  it('is the difference of each series', () => {
    const rise = increases(
      parseExposition('a_total{x="1"} 1\na_total{x="2"} 5'),
      parseExposition('a_total{x="2"} 7\na_total{x="1"} 1'),
    );
    expect(rise.sum('a_total', { x: '1' })).toBe(0);
    expect(rise.sum('a_total', { x: '2' })).toBe(2);
  });

  it('counts from zero after a reset and for a new series', () => {
    const rise = increases(parseExposition('a_total 10\n'), parseExposition('a_total 3\nb_total 4\n'));
    expect(rise.sum('a_total')).toBe(3);
    expect(rise.sum('b_total')).toBe(4);
  });

  it('omits gauges', () => {
    expect(increases(parseExposition('depth 1'), parseExposition('depth 5')).samples).toEqual([]);
  });

  it('ignores the order of labels', () => {
    expect(
      increases(parseExposition('a_total{x="1",y="2"} 4'), parseExposition('a_total{y="2",x="1"} 5')).sum('a_total'),
    ).toBe(1);
  });
});

describe('CounterTracker', () => {
  it('has no delta at first', () => {
    expect(new CounterTracker().delta(scrape(5000, 1, 'a_total 100'))).toBeNull();
  });

  it('has the increase and its duration', () => {
    const track = new CounterTracker();
    track.delta(scrape(5000, 1, 'a_total 100'));
    const found = track.delta(scrape(10_000, 1, 'a_total 130'));
    expect(found?.seconds).toBe(5);
    expect(found?.increases.sum('a_total')).toBe(30);
  });

  it('counts a new process from zero', () => {
    const track = new CounterTracker();
    track.delta(scrape(5000, 1, 'a_total 100'));
    const found = track.delta(scrape(10_000, 7, 'a_total 3'));
    expect(found?.increases.sum('a_total')).toBe(3);
    expect(found?.seconds).toBe(5);
  });

  it('tracks replicas behind one address separately', () => {
    const track = new CounterTracker();
    track.delta(scrape(5000, 1, 'a_total 100'));
    expect(track.delta(scrape(10_000, 2, 'a_total 900'))).toBeNull();
    const first = track.delta(scrape(15_000, 1, 'a_total 110'));
    expect([first?.seconds, first?.increases.sum('a_total')]).toEqual([10, 10]);
    const second = track.delta(scrape(20_000, 2, 'a_total 905'));
    expect([second?.seconds, second?.increases.sum('a_total')]).toEqual([10, 5]);
  });

  it('compares without a start time too', () => {
    const track = new CounterTracker();
    track.delta(scrape(5000, null, 'a_total 100'));
    expect(track.delta(scrape(6000, null, 'a_total 40'))?.increases.sum('a_total')).toBe(40);
  });

  it('evicts the oldest processes', () => {
    const track = new CounterTracker();
    track.delta(scrape(1_000_000, 1, 'a_total 1'));
    for (let process = 2; process < 20; process += 1) track.delta(scrape(1_000_000 + process, process, 'a_total 1'));
    expect(track.delta(scrape(2_000_000, 1, 'a_total 5'))).toBeNull();
  });

  it('ignores a clock that was set back', () => {
    const track = new CounterTracker();
    track.delta(scrape(9000, 1, 'a_total 1'));
    expect(track.delta(scrape(8000, 1, 'a_total 5'))).toBeNull();
    expect(track.delta(scrape(9000, 1, 'a_total 6'))?.increases.sum('a_total')).toBe(1);
  });
});

describe('ratePerSecond', () => {
  it('sums processes, each by its own duration', () => {
    const rate = ratePerSecond(
      [[step(5, 'a_total 10'), step(5, 'a_total 20', 10_000)], [step(2, 'a_total 4')]],
      'a_total',
    );
    expect(rate).toBeCloseTo(5);
  });

  it('is null without data and zero without increases', () => {
    expect(ratePerSecond([[], [step(5, 'b_total 1')]], 'a_total')).toBeNull();
    expect(ratePerSecond([[step(5, 'a_total 0')]], 'a_total')).toBe(0);
  });

  it('sums replicas behind one address', () => {
    const turns = [10, 15, 20, 25, 30].map((at) =>
      step(10, `a_total ${(at % 10 === 0 ? 10 : 20).toString()}`, at * 1000),
    );
    expect(ratePerSecond([turns], 'a_total')).toBeCloseTo(70 / 30);
  });

  it('counts overlapping time once', () => {
    expect(ratePerSecond([[step(5, 'a_total 10', 5000), step(5, 'a_total 5', 10_000)]], 'a_total')).toBeCloseTo(1.5);
  });

  it('includes the time before a series appeared', () => {
    expect(ratePerSecond([[step(5, ''), step(5, 'a_total 10', 10_000)]], 'a_total')).toBeCloseTo(1);
  });
});

describe('increasesOf', () => {
  it('finds the samples of all deltas', () => {
    const found = increasesOf(
      [[step(1, 'a_total{x="1"} 1')], [step(1, 'a_total{x="1"} 2\na_total{x="2"} 3')]],
      'a_total',
      {
        x: '1',
      },
    );
    expect(found.map((each) => each.value)).toEqual([1, 2]);
  });
});
