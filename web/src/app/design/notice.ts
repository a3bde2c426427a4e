import { ChangeDetectionStrategy, Component, input, output } from '@angular/core';

import { texts } from '../texts';

/** A notice about an empty state or an error, optionally with a retry button. */
@Component({
  selector: 'app-notice',
  template: `
    <div class="notice" [class]="kind()" [attr.role]="kind() === 'error' ? 'alert' : null">
      <p class="text">{{ text() }}</p>
      @if (detail()) {
        <p class="small">{{ detail() }}</p>
      }
      @if (retryable()) {
        <button type="button" class="button" (click)="retry.emit()">{{ retryText }}</button>
      }
      <ng-content />
    </div>
  `,
  styles: `
    .notice {
      display: grid;
      gap: var(--space-2);
      justify-items: start;
      padding: var(--space-4);
      border: 1px dashed var(--line);
      border-radius: var(--radius);
      background: var(--surface);
    }
    .error {
      border: 1px solid var(--bad);
      background: var(--bad-soft);
    }
    p {
      margin: 0;
      overflow-wrap: anywhere;
    }
    .text {
      font-weight: 600;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class Notice {
  readonly kind = input<'error' | 'empty' | 'info'>('info');
  readonly text = input.required<string>();
  readonly detail = input('');
  readonly retryable = input(false);
  readonly retry = output();
  protected readonly retryText = texts.common.retry;
}
