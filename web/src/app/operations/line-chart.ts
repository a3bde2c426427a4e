import {
  ChangeDetectionStrategy,
  Component,
  DestroyRef,
  ElementRef,
  computed,
  effect,
  inject,
  input,
  signal,
  viewChild,
} from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { ChartPlan, hasData, summaryOf } from './charts';
import { DRAW, Drawing, LineConfiguration, configurationOf } from './drawing';
import { HistoryPoint, byMinute } from './history';
import { Log } from './incidents';
import { Theme } from './theme';
import { timeOfDay } from './labels';

/** A line chart of the last minutes, with a text summary and a table. */
@Component({
  selector: 'app-line-chart',
  imports: [Notice],
  templateUrl: './line-chart.html',
  styleUrls: ['./panel.css', './line-chart.css'],
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class LineChart {
  readonly plan = input.required<ChartPlan>();
  readonly history = input.required<readonly HistoryPoint[]>();
  /** The incidents and restarts that are marked. */
  readonly log = input<Log | null>(null);

  private readonly draw = inject(DRAW);
  private readonly theme = inject(Theme);
  private readonly canvas = viewChild<ElementRef<HTMLCanvasElement>>('canvas');
  private drawn: { readonly canvas: HTMLCanvasElement; readonly drawing: Promise<Drawing> } | null = null;

  protected readonly texts = texts.operations.charts;
  protected readonly failed = signal(false);
  protected readonly open = signal(false);
  protected readonly known = computed(() => hasData(this.plan(), this.history()));
  protected readonly summary = computed(() => summaryOf(this.plan(), this.history()));
  protected readonly legend = computed(() => {
    const last = this.history().at(-1);
    return this.plan().lines.map((line) => {
      const value = last?.values[line.series];
      return {
        ...line,
        dashes: line.dash.join(' '),
        value: value === undefined ? texts.operations.none : this.plan().format(value),
      };
    });
  });
  protected readonly rows = computed(() =>
    (this.open() ? byMinute(this.history()) : []).map((point) => ({
      at: point.at,
      time: timeOfDay(point.at),
      values: this.plan().lines.map((line) => {
        const value = point.values[line.series];
        return value === undefined ? texts.operations.none : this.plan().format(value);
      }),
    })),
  );

  constructor() {
    effect(() => {
      this.theme.version();
      const canvas = this.canvas()?.nativeElement;
      const configuration = configurationOf(
        this.plan(),
        this.history(),
        (token) => this.theme.colour(token),
        this.log(),
      );
      // a quiet time removes the canvas, and the next point brings another one
      if (this.drawn !== null && this.drawn.canvas !== canvas) void this.end();
      if (canvas !== undefined) void this.show(canvas, configuration);
    });
    inject(DestroyRef).onDestroy(() => void this.end());
  }

  protected toggle(event: Event): void {
    this.open.set((event.target as HTMLDetailsElement).open);
  }

  private async show(canvas: HTMLCanvasElement, configuration: LineConfiguration): Promise<void> {
    const first = this.drawn === null;
    this.drawn ??= { canvas, drawing: this.draw(canvas, configuration) };
    const { drawn } = this;
    try {
      const drawing = await drawn.drawing;
      if (!first && drawn === this.drawn) drawing.show(configuration);
    } catch {
      // the page shows the failure, and the tables have the values
      this.failed.set(true);
    }
  }

  private async end(): Promise<void> {
    const { drawn } = this;
    this.drawn = null;
    const drawing = await drawn?.drawing.catch(() => null);
    drawing?.destroy();
  }
}
