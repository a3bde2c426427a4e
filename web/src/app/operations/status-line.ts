import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { texts } from '../texts';
import { Finding, Level } from './verdict';
import { findingText, subjectOf, timeOfDay } from './words';

/** At a glance: all is well, or what is late or broken. */
@Component({
  selector: 'app-status-line',
  templateUrl: './status-line.html',
  styleUrl: './status-line.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class StatusLine {
  /** Null until every process was heard of. */
  readonly level = input.required<Level | null>();
  readonly findings = input.required<readonly Finding[]>();
  readonly at = input.required<number | null>();

  protected readonly texts = texts.operations;
  protected readonly headline = computed(() => {
    const level = this.level();
    return level === null ? this.texts.status.unknown : this.texts.status.levels[level];
  });
  protected readonly sentences = computed(() =>
    this.findings().map((finding) => ({ level: finding.level, text: findingText(finding) })),
  );
  /** Spoken when something else is wrong than before, not each time that a number moves. */
  protected readonly announcement = computed(
    () => ({
      of: [this.headline(), ...this.findings().map(subjectOf)].join(),
      text: [this.headline(), ...this.sentences().map((sentence) => sentence.text)].join(' '),
    }),
    { equal: (before, after) => before.of === after.of },
  );
  protected readonly seenAt = computed(() => {
    const at = this.at();
    return at === null ? '' : this.texts.asOf(timeOfDay(at));
  });
}
