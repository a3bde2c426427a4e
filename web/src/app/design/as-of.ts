import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { texts } from '../texts';
import { seconds } from './seconds';

/** What is read every 15 s, and answered within 5, is not older. */
const USUAL_MS = 20_000;

/** How old the values are that are shown beside it, marked when they are older than usual. */
@Component({
  selector: 'app-as-of',
  template: `{{ text() }}`,
  styles: `
    :host {
      color: var(--text-soft);
      font-variant-numeric: tabular-nums;
    }
    :host(.old) {
      color: var(--warn);
      font-weight: 600;
    }
  `,
  host: { '[class.old]': 'ageMs() > usualMs' },
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class AsOf {
  /** When they were read, in milliseconds since 1970; null before. */
  readonly at = input.required<number | null>();
  private readonly now = seconds();
  protected readonly usualMs = USUAL_MS;
  protected readonly ageMs = computed(() => Math.max(0, this.now() - (this.at() ?? this.now())));
  protected readonly text = computed(() =>
    this.at() === null ? '' : texts.common.asOf(Math.floor(this.ageMs() / 1_000)),
  );
}
