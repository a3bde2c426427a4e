import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { texts } from '../texts';
import { Finding, Level } from './findings';
import { findingText, subjectOf, timeOfDay } from './labels';

/** The overall state of the system, with its findings. */
@Component({
  selector: 'app-status-line',
  templateUrl: './status-line.html',
  styleUrl: './status-line.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class StatusLine {
  /** Null until every process was polled. */
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
  /** Announced to screen readers when the findings change, not when only a value changes. */
  protected readonly announcement = computed(
    () => ({
      of: [this.headline(), ...this.findings().map(subjectOf)].join(),
      text: [this.headline(), ...this.sentences().map((sentence) => sentence.text)].join(' '),
    }),
    { equal: (before, after) => before.of === after.of },
  );
  protected readonly updatedAt = computed(() => {
    const at = this.at();
    return at === null ? '' : this.texts.asOf(timeOfDay(at));
  });
}
