import { NgTemplateOutlet } from '@angular/common';
import { DOCUMENT, ChangeDetectionStrategy, Component, computed, effect, inject, input, signal } from '@angular/core';

import { texts } from '../texts';
import { duration } from './durations';
import { Facts } from './facts';
import { COMPLETED, MARKS } from './hop';
import { Journey } from './journey';
import { StepData } from './step-data';
import { Scale, Section, Step, endOf, scaleOf, waterfall } from './waterfall';

const TICK_MS = 500;

interface Bar {
  /** In per cent of the scale. */
  readonly start: number;
  readonly width: number;
}

interface Row {
  readonly step: Step;
  readonly mark: string;
  readonly state: string;
  readonly label: string;
  readonly where: string;
  readonly bar: Bar | null;
  /** After the begin of the section, and how long. */
  readonly times: string;
  readonly notes: readonly string[];
}

interface Part {
  readonly id: string;
  readonly title: string;
  readonly superseded: boolean;
  readonly rows: readonly Row[];
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  /** The distance of two ticks, in per cent of the scale. */
  readonly tick: number;
}

/** The timeline of an order to scale: one row a step, with its text; what each service has of it on demand. */
@Component({
  selector: 'app-waterfall-view',
  imports: [NgTemplateOutlet, StepData],
  templateUrl: './waterfall-view.html',
  styleUrl: './waterfall-view.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class WaterfallView {
  readonly orderId = input.required<number>();
  readonly journey = input.required<Journey>();
  readonly facts = input.required<Facts>();

  private readonly document = inject(DOCUMENT);
  /** Advances while something goes on. */
  private readonly now = signal(Date.now());
  protected readonly texts = texts.orders.waterfall;
  /** The steps whose data is shown. */
  protected readonly open = signal<ReadonlySet<string>>(new Set());
  private readonly sections = computed(() => waterfall(this.journey(), this.facts()));
  private readonly goesOn = computed(() =>
    this.sections().some((section) => section.steps.some((step) => step.state === 'active' && step.from !== null)),
  );
  protected readonly parts = computed(() => this.sections().map((section) => this.part(section)));

  constructor() {
    effect((onCleanup) => {
      this.sections();
      this.now.set(Date.now());
      if (!this.goesOn()) return;
      const timer = setInterval(() => {
        if (!this.document.hidden) this.now.set(Date.now());
      }, TICK_MS);
      onCleanup(() => clearInterval(timer));
    });
  }

  protected toggle(step: Step): void {
    this.open.update((all) => {
      const open = new Set(all);
      if (!open.delete(step.id)) open.add(step.id);
      return open;
    });
  }

  private part({ phase, superseded, steps }: Section): Part {
    const now = this.now();
    const scale = scaleOf(steps, now);
    const span = scale === null ? 1 : scale.end - scale.begin;
    const percent = (ms: number): number => (ms / span) * 100;
    const title = texts.orders.journey.causes[phase.cause](phase.version);
    return {
      id: phase.id,
      title: superseded ? this.texts.superseded(title) : title,
      superseded,
      rows: steps.map((step) => this.row(step, scale, now)),
      ticks: (scale?.ticks ?? []).map((ms) => ({ at: percent(ms), text: duration(ms) })),
      tick: percent(scale?.ticks[1] ?? span),
    };
  }

  private row(step: Step, scale: Scale | null, now: number): Row {
    const labels = texts.orders.journey;
    return {
      step,
      mark: MARKS[step.state],
      state: step.failure === null ? labels.states[step.state] : this.texts.failed,
      label: this.texts.steps[step.name](step.detail),
      where: labels.lifelines[step.lane].name,
      bar: barOf(step, scale, now),
      times: this.timesOf(step, scale, now),
      notes: this.notesOf(step),
    };
  }

  private timesOf(step: Step, scale: Scale | null, now: number): string {
    if (step.from === null || scale === null) return COMPLETED.has(step.state) ? this.texts.unknown : '';
    const began = this.texts.after(duration(step.from - scale.begin), step.estimated);
    const took = endOf(step, now) - step.from;
    if (step.state === 'active') return this.texts.lasting(began, duration(took));
    return took === 0 ? this.texts.point(began) : this.texts.span(began, duration(took));
  }

  private notesOf({ failure, retry, attempts, atMost, repeats, state, name, detail }: Step): readonly string[] {
    const labels = texts.orders.journey;
    const notes: string[] = [];
    if (state === 'failed' && detail !== null && (name === 'take' || name === 'close' || name === 'fail')) {
      notes.push(detail);
    }
    if (failure !== null)
      notes.push(this.texts.failures[failure.kind], ...(failure.error === null ? [] : [failure.error]));
    if (atMost) notes.push(this.texts.atMost);
    if (attempts !== null) notes.push(this.texts.attempts(attempts));
    if (repeats > 0) notes.push(this.texts.repeats(repeats));
    if (retry?.late) notes.push(labels.late);
    if (retry?.error) notes.push(labels.retrying(retry.attempts, retry.error));
    if (retry?.error && retry.nextRunAt !== null) notes.push(labels.next(retry.nextRunAt));
    return notes;
  }
}

function barOf(step: Step, scale: Scale | null, now: number): Bar | null {
  if (step.from === null || scale === null) return null;
  const span = scale.end - scale.begin;
  return {
    start: ((step.from - scale.begin) / span) * 100,
    width: ((endOf(step, now) - step.from) / span) * 100,
  };
}
