import { texts } from '../texts';
import { HistoryPoint, MAX_GAP_MS, Series } from './history';

const labels = texts.operations.charts;

export interface Line {
  readonly series: Series;
  readonly label: string;
  /** A design token. */
  readonly token: string;
  /** Distinguishes lines without colour. */
  readonly dash: readonly number[];
}

export interface ChartPlan {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** The minimum upper end of the scale. */
  readonly minScale: number;
  /** Whether the values are integers. */
  readonly integer: boolean;
}

const MINUTE_MS = 60_000;
const MIN_SCALE_S = 0.01;
const SOLID: readonly number[] = [];
const DASHED: readonly number[] = [6, 4];
const DOTTED: readonly number[] = [2, 3];
const DASH_DOTTED: readonly number[] = [8, 3, 2, 3];

const { count, duration } = texts.operations;

export const CHARTS: readonly ChartPlan[] = [
  plan('orders', labels.orders, count, ['--accent', '--warn', '--good', '--bad']),
  plan('errors', labels.errors, count, ['--bad', '--warn', '--accent']),
  plan('placing', labels.placing, duration, ['--accent', '--warn', '--bad']),
  plan('completing', labels.completing, duration, ['--accent', '--warn', '--bad']),
  plan('queues', labels.queues, count, ['--accent', '--good', '--bad']),
  plan('push', labels.push, count, ['--accent']),
];

function plan(
  id: string,
  named: { readonly title: string; readonly series: Readonly<Partial<Record<Series, string>>> },
  format: (value: number) => string,
  tokens: readonly string[],
): ChartPlan {
  const dashes = [SOLID, DASHED, DOTTED, DASH_DOTTED];
  const lines = (Object.entries(named.series) as [Series, string][]).map(([series, label], index): Line => ({
    series,
    label,
    token: tokens[index] ?? '--text',
    dash: dashes[index] ?? SOLID,
  }));
  const minScale = format === count ? 1 : MIN_SCALE_S;
  return { id, title: named.title, lines, format, minScale, integer: ['orders', 'errors', 'queues'].includes(id) };
}

/** A text summary of a chart. */
export function summaryOf(plan: ChartPlan, history: readonly HistoryPoint[]): string {
  const last = history.at(-1);
  const known = plan.lines.filter((line) => last?.values[line.series] !== undefined);
  const all = plan.lines.flatMap((line) => history.map((point) => point.values[line.series] ?? 0));
  if (last === undefined || known.length === 0) return labels.nothing;
  return labels.summary(
    known.map((line) => labels.latest(line.label, plan.format(last.values[line.series] ?? 0))),
    plan.format(Math.max(...all)),
  );
}

/** The number of minutes shown, and between two ticks: they grow with the history. */
export function spanOf(history: readonly HistoryPoint[]): { readonly minutes: number; readonly step: number } {
  const minutes = ((history.at(-1)?.at ?? 0) - (history[0]?.at ?? 0)) / MINUTE_MS;
  if (minutes <= 2) return { minutes: 2, step: 1 };
  return minutes <= 5 ? { minutes: 5, step: 1 } : { minutes: 15, step: 5 };
}

/** A point of a line: minutes before *now* (0 or less), and the value; null interrupts the line. */
export interface Point {
  readonly x: number;
  readonly y: number | null;
}

/** A line's points; a long gap in the history interrupts the line. */
export function pointsOf(line: Line, history: readonly HistoryPoint[], now: number): readonly Point[] {
  let before: number | null = null;
  return history.flatMap((point) => {
    const drawn: Point = { x: (point.at - now) / MINUTE_MS, y: point.values[line.series] ?? null };
    const gap = before !== null && point.at - before > MAX_GAP_MS;
    before = point.at;
    return gap ? [{ x: drawn.x, y: null }, drawn] : [drawn];
  });
}

/** Whether any line has a point. */
export function hasData(plan: ChartPlan, history: readonly HistoryPoint[]): boolean {
  return history.some((point) => plan.lines.some((line) => point.values[line.series] !== undefined));
}
