import { ChangeDetectionStrategy, Component, input } from '@angular/core';

import { CopyButton } from '../design/copy-button';
import { texts } from '../texts';

/** The trace id of a failed request, for support: it finds the request in the logs of all services. */
@Component({
  selector: 'app-trace-id',
  imports: [CopyButton],
  template: `
    <span class="small">{{ texts.trace }}</span>
    <span class="code">{{ id() }}</span>
    <app-copy-button [text]="id()" [what]="texts.trace" />
  `,
  styles: `
    :host {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-2);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class TraceId {
  readonly id = input.required<string>();
  protected readonly texts = texts.common;
}
