import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { texts } from '../texts';
import { Arrow, arrow } from './arrow';
import { duration } from './durations';
import { COMPLETED, Hop, LIFELINES, MARKS } from './hop';
import { Phase, Journey } from './journey';
import { elapsed } from './timestamps';

interface Row {
  readonly hop: Hop;
  readonly arrow: Arrow;
  readonly mark: string;
  readonly label: string;
  readonly state: string;
  readonly between: string;
  readonly at: string | null;
  readonly took: string | null;
  readonly notes: readonly string[];
}

interface Part {
  readonly phase: Phase;
  readonly title: string;
  readonly rows: readonly Row[];
}

/** The sequence diagram of an order, and a list of steps for screen readers. */
@Component({
  selector: 'app-journey-view',
  templateUrl: './journey-view.html',
  styleUrl: './journey-view.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class JourneyView {
  readonly journey = input.required<Journey>();
  protected readonly texts = texts.orders.journey;
  protected readonly lifelines = LIFELINES;
  protected readonly parts = computed<readonly Part[]>(() => {
    const { phases, origin } = this.journey();
    return phases.map((phase) => ({
      phase,
      title: this.texts.causes[phase.cause](phase.version),
      rows: phase.hops.map((hop, place) => this.row(hop, origin, phase.hops[place - 1])),
    }));
  });
  protected readonly progress = computed(() => {
    const { phases, end } = this.journey();
    const hops = phases.flatMap((phase) => phase.hops);
    const done = hops.filter((hop) => COMPLETED.has(hop.state)).length;
    if (end === null) return this.texts.progress(done, hops.length);
    return this.texts.ended(texts.common.statuses[end], done, hops.length);
  });

  private row(hop: Hop, origin: number | null, before: Hop | undefined): Row {
    const { from, to, state } = hop;
    const since = elapsed(origin, hop.at);
    return {
      hop,
      arrow: arrow(hop),
      mark: MARKS[state],
      label: this.texts.hops[hop.name](hop.detail),
      state: this.texts.states[state],
      between: this.texts.between(this.texts.lifelines[from].name, this.texts.lifelines[to].name),
      at: since === null ? null : this.texts.offset(duration(since)),
      took: hop.tookMs === null ? null : duration(hop.tookMs),
      notes: this.notes(hop, since, before?.state === 'done'),
    };
  }

  private notes(hop: Hop, since: number | null, recorded: boolean): readonly string[] {
    const notes: string[] = [];
    if (hop.over !== null) notes.push(this.texts.over(texts.common.protocols[hop.over]));
    if (hop.state === 'failed' && hop.detail !== null) notes.push(hop.detail);
    if (hop.isRead) notes.push(this.texts.fromHistory);
    else if (COMPLETED.has(hop.state) && since === null && hop.tookMs === null && hop.name !== 'announce') {
      notes.push(this.texts.unmeasured);
    }
    if (hop.name === 'push' && hop.state === 'unknown' && recorded) notes.push(this.texts.notReceived);
    if (hop.retry !== null) {
      const { late, error, attempts, nextRunAt } = hop.retry;
      if (late) notes.push(this.texts.late);
      if (error !== null) notes.push(this.texts.retrying(attempts, error));
      if (error !== null && nextRunAt !== null) notes.push(this.texts.next(nextRunAt));
    }
    return notes;
  }
}
