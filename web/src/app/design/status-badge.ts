import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { texts } from '../texts';

export type Status = keyof typeof texts.common.statuses;

/** The status of an order, as text and colour. */
@Component({
  selector: 'app-status-badge',
  template: `<span class="badge" [class]="status()">{{ label() }}</span>`,
  styles: `
    .badge {
      display: inline-block;
      padding: 0.125rem var(--space-2);
      border-radius: 1rem;
      background: var(--surface-sunken);
      color: var(--text);
      font-size: var(--size-small);
      font-weight: 600;
      white-space: nowrap;
    }
    .CREATED,
    .UPDATED {
      background: var(--accent-soft);
      color: var(--accent-text);
    }
    .CLOSED {
      background: var(--good-soft);
      color: var(--good);
    }
    .FAILED {
      background: var(--bad-soft);
      color: var(--bad);
    }
    .CANCELLED {
      background: var(--warn-soft);
      color: var(--warn);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class StatusBadge {
  readonly status = input.required<Status>();
  protected readonly label = computed(() => texts.common.statuses[this.status()]);
}
