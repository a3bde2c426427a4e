import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { texts } from '../texts';

/** A placeholder while content loads. */
@Component({
  selector: 'app-skeleton',
  template: `
    <span class="visually-hidden" role="status">{{ loading }}</span>
    @for (line of indexes(); track line) {
      <span class="line" aria-hidden="true"></span>
    }
  `,
  styles: `
    :host {
      display: grid;
      gap: var(--space-2);
    }
    .line {
      block-size: 1.25rem;
      border-radius: var(--radius);
      background: linear-gradient(90deg, var(--surface-sunken) 25%, var(--line) 50%, var(--surface-sunken) 75%);
      background-size: 200% 100%;
      animation: shimmer 1.5s linear infinite;
    }
    @keyframes shimmer {
      to {
        background-position: -200% 0;
      }
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class Skeleton {
  readonly lines = input(3);
  protected readonly loading = texts.common.loading;
  protected readonly indexes = computed(() => Array.from({ length: this.lines() }, (_, index) => index));
}
