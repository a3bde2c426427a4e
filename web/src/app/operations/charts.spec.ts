import { CHARTS, ChartPlan, hasData, pointsOf, spanOf, summaryOf } from './charts';
import { Moment } from './moments';

const ORDERS = CHARTS.find((chart) => chart.id === 'orders')!;
const PLACING = CHARTS.find((chart) => chart.id === 'placing')!;

function moment(at: number, values: Moment['values'] = {}): Moment {
  return { at, values };
}

function xy(plan: ChartPlan, history: readonly Moment[], now: number): (readonly [number, number | null])[] {
  return pointsOf(plan.lines[0]!, history, now).map(({ x, y }) => [x, y]);
}

describe('CHARTS', () => {
  it('tell their lines apart by colour and by dashes', () => {
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
    expect(xy(ORDERS, [moment(0, { placed: 1 }), moment(60_000, { placed: 2 })], 120_000)).toEqual([
      [-2, 1],
      [-1, 2],
    ]);
  });

  it('interrupts the line where nothing was known', () => {
    expect(
      xy(ORDERS, [moment(0, { placed: 1 }), moment(5000), moment(10_000, { placed: 0 })], 10_000)[1]?.[1],
    ).toBeNull();
  });

  it('interrupts the line where nobody looked', () => {
    expect(xy(ORDERS, [moment(0, { placed: 1 }), moment(120_000, { placed: 2 })], 120_000)).toEqual([
      [-2, 1],
      [0, null],
      [0, 2],
    ]);
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
    expect(spanOf([moment(0), moment(seconds * 1000)]).minutes).toBe(minutes);
  });
});

describe('summaryOf', () => {
  it('says what is now and what was most', () => {
    const history = [moment(0, { placed: 300, closed: 2 }), moment(5000, { placed: 120, closed: 118.4, failed: 0 })];
    expect(summaryOf(ORDERS, history)).toBe('Now: Placed 120, Closed 118, Failed 0. Highest: 300.');
  });

  it('tells times in units that fit', () => {
    const history = [moment(0, { placing50: 0.0123, placing95: 0.2, placing99: 1.26 })];
    expect(summaryOf(PLACING, history)).toBe(
      'Now: Half within 12 ms, 95 % within 200 ms, 99 % within 1.3 s. Highest: 1.3 s.',
    );
  });

  it('does not invent numbers', () => {
    expect(summaryOf(PLACING, [])).toBe('No data yet.');
    expect(summaryOf(PLACING, [moment(0, { placed: 3 })])).toBe('No data yet.');
  });
});

describe('hasData', () => {
  it('is so with a single point', () => {
    expect(hasData(ORDERS, [moment(0), moment(1, { failed: 0 })])).toBe(true);
    expect(hasData(ORDERS, [moment(0, { deliveries: 1 })])).toBe(false);
  });
});
