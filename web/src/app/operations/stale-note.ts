import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Service } from '../api/endpoints';
import { texts } from '../texts';
import { serviceName, timeOfDay } from './labels';

/** Names the services whose metrics are stale, and their age. */
@Component({
  selector: 'app-stale-note',
  template: `
    @for (sentence of sentences(); track sentence) {
      <p class="small">{{ sentence }}</p>
    }
  `,
  styles: `
    p {
      margin: 0 0 var(--space-2);
      color: var(--warn);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class StaleNote {
  /** Services without fresh metrics, with the time of their last scrape. */
  readonly stale = input.required<ReadonlyMap<Service, number | null>>();
  readonly of = input.required<readonly Service[]>();

  protected readonly sentences = computed(() =>
    this.of()
      .filter((service) => this.stale().has(service))
      .map((service) => {
        const at = this.stale().get(service) ?? null;
        return texts.operations.stale(serviceName(service), at === null ? null : timeOfDay(at));
      }),
  );
}
