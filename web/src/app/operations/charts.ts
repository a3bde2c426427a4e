import { texts } from '../texts';
import { Moment, Series } from './moments';

const words = texts.operations.charts;

export interface Line {
  readonly series: Series;
  readonly label: string;
  /** A colour of the design. */
  readonly token: string;
  /** Told apart without colour too. */
  readonly dash: readonly number[];
}

export interface ChartPlan {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** The scale reaches so far at least. */
  readonly least: number;
  /** Whether there is nothing between two numbers. */
  readonly whole: boolean;
}

const MINUTE_MS = 60_000;
const LEAST_S = 0.01;
const SOLID: readonly number[] = [];
const DASHED: readonly number[] = [6, 4];
const DOTTED: readonly number[] = [2, 3];

const { count, duration } = texts.operations;

export const CHARTS: readonly ChartPlan[] = [
  plan('orders', words.orders, count, ['--accent', '--good', '--bad']),
  plan('placing', words.placing, duration, ['--accent', '--warn', '--bad']),
  plan('completing', words.completing, duration, ['--accent', '--warn', '--bad']),
  plan('queues', words.queues, count, ['--accent', '--good', '--bad']),
  plan('push', words.push, count, ['--accent']),
];

function plan(
  id: string,
  named: { readonly title: string; readonly series: Readonly<Partial<Record<Series, string>>> },
  format: (value: number) => string,
  tokens: readonly string[],
): ChartPlan {
  const dashes = [SOLID, DASHED, DOTTED];
  const lines = (Object.entries(named.series) as [Series, string][]).map(([series, label], index): Line => ({
    series,
    label,
    token: tokens[index] ?? '--text',
    dash: dashes[index] ?? SOLID,
  }));
  const least = format === count ? 1 : LEAST_S;
  return { id, title: named.title, lines, format, least, whole: id === 'orders' || id === 'queues' };
}

/** What there is to see in a chart, in a sentence. */
export function summaryOf(plan: ChartPlan, history: readonly Moment[]): string {
  const last = history.at(-1);
  const known = plan.lines.filter((line) => last?.values[line.series] !== undefined);
  const all = plan.lines.flatMap((line) => history.map((moment) => moment.values[line.series] ?? 0));
  if (last === undefined || known.length === 0) return words.nothing;
  return words.summary(
    known.map((line) => words.latest(line.label, plan.format(last.values[line.series] ?? 0))),
    plan.format(Math.max(...all)),
  );
}

/** How many minutes are drawn, and how many lie between two marks: the more the longer somebody has looked. */
export function spanOf(history: readonly Moment[]): { readonly minutes: number; readonly step: number } {
  const minutes = ((history.at(-1)?.at ?? 0) - (history[0]?.at ?? 0)) / MINUTE_MS;
  if (minutes <= 2) return { minutes: 2, step: 1 };
  return minutes <= 5 ? { minutes: 5, step: 1 } : { minutes: 15, step: 5 };
}

/** A point of a line: minutes before *now* (0 or less), and the value; null interrupts the line. */
export interface Point {
  readonly x: number;
  readonly y: number | null;
}

// a page in the background is woken once a minute: such a gap is still bridged
const LONGEST_STEP_MS = 70_000;

/** A line's points; where nothing was seen for long, the line is interrupted. */
export function pointsOf(line: Line, history: readonly Moment[], now: number): readonly Point[] {
  let before: number | null = null;
  return history.flatMap((moment) => {
    const point: Point = { x: (moment.at - now) / MINUTE_MS, y: moment.values[line.series] ?? null };
    const gap = before !== null && moment.at - before > LONGEST_STEP_MS;
    before = moment.at;
    return gap ? [{ x: point.x, y: null }, point] : [point];
  });
}

/** Whether any line has a point. */
export function hasData(plan: ChartPlan, history: readonly Moment[]): boolean {
  return history.some((moment) => plan.lines.some((line) => moment.values[line.series] !== undefined));
}
