import { CHARTS, ChartPlan } from './charts';
import { configurationOf } from './drawing';
import { HistoryPoint } from './history';

const ORDERS = CHARTS.find((chart) => chart.id === 'orders')!;
const PLACING = CHARTS.find((chart) => chart.id === 'placing')!;

function radii(plan: ChartPlan, history: readonly HistoryPoint[]): unknown {
  return configurationOf(plan, history, (token) => token).data.datasets[0]?.pointRadius;
}

describe('configurationOf', () => {
  it('draws each line in the colour of its token', () => {
    const { datasets } = configurationOf(ORDERS, [], (token) => `dark ${token}`).data;
    expect(datasets.map((each) => each.borderColor)).toEqual([
      'dark --accent',
      'dark --warn',
      'dark --good',
      'dark --bad',
    ]);
  });

  it('shows an isolated point', () => {
    const alone: readonly HistoryPoint[] = [
      { at: 0, values: { placed: 1 } },
      { at: 5000, values: {} },
      { at: 10_000, values: { placed: 2 } },
      { at: 15_000, values: { placed: 2 } },
    ];
    expect(radii(ORDERS, alone)).toEqual([2, 0, 0, 0]);
    expect(radii(ORDERS, alone.slice(0, 1))).toEqual([2]);
  });

  it('has a minimum scale', () => {
    const scale = (plan: ChartPlan): unknown => configurationOf(plan, [], String).options?.scales?.['y']?.suggestedMax;
    expect(scale(ORDERS)).toBe(1);
    expect(scale(PLACING)).toBe(0.01);
  });
});
