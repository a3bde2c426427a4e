import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Service } from '../api/endpoints';
import { texts } from '../texts';
import { serviceName, timeOfDay } from './words';

/** Says of which services the numbers beside it are old, and how old. */
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
  /** Services that tell no numbers now, and when they last did. */
  readonly silent = input.required<ReadonlyMap<Service, number | null>>();
  readonly of = input.required<readonly Service[]>();

  protected readonly sentences = computed(() =>
    this.of()
      .filter((service) => this.silent().has(service))
      .map((service) => {
        const at = this.silent().get(service) ?? null;
        return texts.operations.stale(serviceName(service), at === null ? null : timeOfDay(at));
      }),
  );
}
