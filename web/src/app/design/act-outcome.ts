import { ChangeDetectionStrategy, Component, input } from '@angular/core';

import { Notice } from './notice';
import { Act } from './act';

/** Says how an act went. */
@Component({
  selector: 'app-act-outcome',
  imports: [Notice],
  template: `
    <p class="small" [class.visually-hidden]="!act().message()" role="status">{{ act().message() }}</p>
    @if (act().failure(); as text) {
      <app-notice kind="error" [text]="text" />
    }
  `,
  styles: `
    p {
      margin: var(--space-2) 0;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ActOutcome {
  readonly act = input.required<Act>();
}
