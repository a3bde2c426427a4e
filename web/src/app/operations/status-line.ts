import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { SERVICES, Service } from '../api/endpoints';
import { AsOf } from '../design/as-of';
import { texts } from '../texts';
import { Alarm } from './causes';
import { Level } from './findings';
import { HISTORY_MS, MAX_GAP_MS } from './history';
import { Incident, Log, incidentsAfter, quietSince, restartsAfter, subjectOf } from './incidents';
import { affectedBy, findingText, incidentText, restartText, timeOfDay } from './labels';
import { StaleNote } from './stale-note';

/** The number of incidents that are named; the page lists all. */
const MAX_NAMED = 3;

/** The overall state of the system, the alarms with their causes, and what happened before. */
@Component({
  selector: 'app-status-line',
  imports: [AsOf, StaleNote],
  templateUrl: './status-line.html',
  styleUrl: './status-line.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class StatusLine {
  /** Null while the state of a process, or its metrics, are unknown. */
  readonly level = input.required<Level | null>();
  readonly alarms = input.required<readonly Alarm[]>();
  readonly log = input.required<Log | null>();
  readonly at = input.required<number | null>();
  /** Services without fresh metrics, with the time of their last scrape. */
  readonly stale = input<ReadonlyMap<Service, number | null>>(new Map());

  protected readonly services = SERVICES;
  protected readonly texts = texts.operations;
  /** Null also for a log from before a gap: the first poll after it has not ended. */
  private readonly current = computed(() => {
    const log = this.log();
    return log === null || (this.at() ?? 0) - log.at > MAX_GAP_MS ? null : log;
  });
  protected readonly headline = computed(() => {
    const { unknown, partly, levels, healthySince, watchedSince } = this.texts.status;
    const [level, log] = [this.level(), this.current()];
    if (level === null) return this.stale().size > 0 ? partly : unknown;
    const quiet = log === null || level !== 'ok' ? null : quietSince(log);
    if (log === null || quiet === null) return levels[level];
    return quiet === log.since ? watchedSince(timeOfDay(quiet)) : healthySince(timeOfDay(quiet));
  });
  protected readonly sentences = computed(() =>
    this.alarms().map((alarm) => {
      const subject = subjectOf(alarm.cause);
      const incident = this.current()?.incidents.find(
        (each) => each.until === null && subjectOf(each.cause) === subject,
      );
      const affected = affectedBy(alarm);
      return {
        subject,
        level: alarm.level,
        text: [
          findingText(alarm.cause),
          ...(incident === undefined ? [] : [this.sinceOf(incident)]),
          ...(affected.length === 0 ? [] : [this.texts.status.affected(affected)]),
        ].join(' '),
        effects: alarm.effects.map(findingText),
      };
    }),
  );
  /** What is over, of the last 15 minutes, the last first. */
  protected readonly past = computed(() => {
    const log = this.current();
    if (log === null) return [];
    const since = log.at - HISTORY_MS;
    const over = incidentsAfter(log, since).filter((each) => each.until !== null);
    const all = [
      ...over.map((each) => ({ at: each.until ?? log.at, text: incidentText(each, log.since) })),
      ...restartsAfter(log, since).map((each) => ({ at: each.at, text: restartText(each) })),
    ]
      .sort((one, other) => other.at - one.at)
      .map((each) => each.text);
    const more = all.length - MAX_NAMED;
    return more > 0 ? [...all.slice(0, MAX_NAMED), this.texts.status.more(more)] : all;
  });
  /** Announced to screen readers when the alarms change, not when only a value changes. */
  protected readonly announcement = computed(
    () => ({
      of: [
        this.level() ?? this.headline(),
        ...this.alarms().map(({ level, cause }) => `${level} ${subjectOf(cause)}`),
      ].join(),
      text: [this.headline(), ...this.sentences().map((sentence) => sentence.text)].join(' '),
    }),
    { equal: (before, after) => before.of === after.of },
  );

  // what was there at the first look began before
  private sinceOf({ from }: Incident): string {
    const { since, sinceBefore } = this.texts.status;
    return from === this.current()?.since ? sinceBefore(timeOfDay(from)) : since(timeOfDay(from));
  }
}
