import { texts } from '../texts';
import { CHARTS, ChartPlan, hasData, pointsOf, spanOf, summaryOf } from './charts';
import { HistoryPoint } from './history';

const ORDERS = CHARTS.find((chart) => chart.id === 'orders')!;
const PLACING = CHARTS.find((chart) => chart.id === 'placing')!;

function point(at: number, values: HistoryPoint['values'] = {}): HistoryPoint {
  return { at, values };
}

function xy(plan: ChartPlan, history: readonly HistoryPoint[], now: number): (readonly [number, number | null])[] {
  return pointsOf(plan.lines[0]!, history, now).map(({ x, y }) => [x, y]);
}

describe('CHARTS', () => {
  it('distinguish lines by colour and dashes', () => {
    for (const chart of CHARTS) {
      for (const of of [
        (line: ChartPlan['lines'][number]) => line.token,
        (line: ChartPlan['lines'][number]) => line.dash.join(),
      ]) {
        expect(new Set(chart.lines.map(of)).size).toBe(chart.lines.length);
      }
    }
  });
});

describe('pointsOf', () => {
  it('has minutes before now', () => {
    expect(xy(ORDERS, [point(0, { placed: 1 }), point(60_000, { placed: 2 })], 120_000)).toEqual([
      [-2, 1],
      [-1, 2],
    ]);
  });

  it('interrupts the line at unknown values', () => {
    expect(xy(ORDERS, [point(0, { placed: 1 }), point(5000), point(10_000, { placed: 0 })], 10_000)[1]?.[1]).toBeNull();
  });

  it('interrupts the line at gaps of the history', () => {
    expect(xy(ORDERS, [point(0, { placed: 1 }), point(120_000, { placed: 2 })], 120_000)).toEqual([
      [-2, 1],
      [0, null],
      [0, 2],
    ]);
  });
});

describe('ticks', () => {
  it.each([
    [2, '−2 min'],
    [2.5, '−2.5 min'],
    [2.51, '−2.5 min'],
  ])('are %d minutes ago, in the digits of the language', (minutes, text) => {
    expect(texts.operations.charts.ago(minutes)).toBe(text);
  });
});

describe('spanOf', () => {
  it.each([
    [0, 2],
    [119, 2],
    [121, 5],
    [301, 15],
    [900, 15],
  ])('after %d s is %d minutes', (seconds, minutes) => {
    expect(spanOf([point(0), point(seconds * 1000)]).minutes).toBe(minutes);
  });
});

describe('summaryOf', () => {
  it('has the latest and the highest value', () => {
    const history = [point(0, { placed: 300, closed: 2 }), point(5000, { placed: 120, closed: 118.4, failed: 0 })];
    expect(summaryOf(ORDERS, history)).toBe('Now: Placed 120, Closed 118, Failed 0. Highest: 300.');
  });

  it('formats durations', () => {
    const history = [point(0, { placing50: 0.0123, placing95: 0.2, placing99: 1.26 })];
    expect(summaryOf(PLACING, history)).toBe('Now: p50 12 ms, p95 200 ms, p99 1.3 s. Highest: 1.3 s.');
  });

  it('has no values without data', () => {
    expect(summaryOf(PLACING, [])).toBe('No data yet.');
    expect(summaryOf(PLACING, [point(0, { placed: 3 })])).toBe('No data yet.');
  });
});

describe('hasData', () => {
  it('is true for a single point', () => {
    expect(hasData(ORDERS, [point(0), point(1, { failed: 0 })])).toBe(true);
    expect(hasData(ORDERS, [point(0, { deliveries: 1 })])).toBe(false);
  });
});
