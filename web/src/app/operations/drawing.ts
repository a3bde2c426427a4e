import { InjectionToken, inject } from '@angular/core';
import type { Chart, ChartConfiguration, ChartDataset, ChartType } from 'chart.js';

import { texts } from '../texts';
import { Unloaded } from '../unloaded';
import { ChartPlan, Line, Point, pointsOf, spanOf } from './charts';
import { HistoryPoint } from './history';
import { Log } from './incidents';
import { Marks, marksOf } from './marks';

declare module 'chart.js' {
  interface PluginOptionsByType<TType extends ChartType> {
    marks?: Marks & { readonly types?: TType };
  }
}

export type LineConfiguration = ChartConfiguration<'line', Point[]>;

/** A chart on a canvas. */
export interface Drawing {
  show(configuration: LineConfiguration): void;
  destroy(): void;
}

/** Draws a chart on a canvas; the library is loaded with the first one. */
export const DRAW = new InjectionToken<(canvas: HTMLCanvasElement, first: LineConfiguration) => Promise<Drawing>>(
  'DRAW',
  {
    factory: () => {
      const unloaded = inject(Unloaded);
      return (canvas, first) => draw(canvas, first, unloaded);
    },
  },
);

async function draw(canvas: HTMLCanvasElement, first: LineConfiguration, unloaded: Unloaded): Promise<Drawing> {
  const library = await unloaded.part(() => import('./chart-library'));
  const chart: Chart<'line', Point[]> = new library.Chart(canvas, first);
  return {
    show: (configuration) => {
      chart.data = configuration.data;
      if (configuration.options) chart.options = configuration.options;
      chart.update('none');
    },
    destroy: () => chart.destroy(),
  };
}

/** Returns the colour of a design token in the current theme. */
export type Colours = (token: string) => string;

const labels = texts.operations.charts;

/** The library's configuration of *plan*. */
export function configurationOf(
  plan: ChartPlan,
  history: readonly HistoryPoint[],
  colours: Colours,
  log: Log | null = null,
): LineConfiguration {
  const now = history.at(-1)?.at ?? 0;
  const span = spanOf(history);
  const grid = { color: colours('--line') };
  const ticks = { color: colours('--text-soft'), font: { size: 12 } };
  return {
    type: 'line',
    data: {
      datasets: plan.lines.map((line) => datasetOf(line, pointsOf(line, history, now), colours(line.token))),
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      parsing: false,
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          type: 'linear',
          min: -span.minutes,
          max: 0,
          grid,
          ticks: {
            ...ticks,
            stepSize: span.step,
            maxRotation: 0,
            callback: (value) => (Number(value) === 0 ? labels.now : labels.ago(-Number(value))),
          },
        },
        y: {
          beginAtZero: true,
          suggestedMax: plan.minScale,
          grid,
          ticks: {
            ...ticks,
            maxTicksLimit: 5,
            ...(plan.integer ? { precision: 0 } : {}),
            callback: (value) => plan.format(Number(value)),
          },
        },
      },
      plugins: {
        marks: marksOf(log, now, colours),
        tooltip: {
          callbacks: {
            title: (items) => timeAgo(items[0]?.parsed.x ?? 0),
            label: (item) => labels.latest(item.dataset.label ?? '', plan.format(item.parsed.y ?? 0)),
          },
        },
      },
    },
  };
}

function datasetOf(line: Line, points: readonly Point[], colour: string): ChartDataset<'line', Point[]> {
  return {
    label: line.label,
    data: [...points],
    borderColor: colour,
    backgroundColor: colour,
    borderDash: [...line.dash],
    borderWidth: 2,
    // an isolated point has no line: draw a dot
    pointRadius: points.map((_, index) => (isIsolated(points, index) ? 2 : 0)),
    pointHitRadius: 8,
    spanGaps: false,
  };
}

function isIsolated(points: readonly Point[], index: number): boolean {
  return (points[index - 1]?.y ?? null) === null && (points[index + 1]?.y ?? null) === null;
}

function timeAgo(minutes: number): string {
  return minutes > -0.02 ? labels.now : labels.ago(-minutes);
}
