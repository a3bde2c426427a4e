import { ChangeDetectionStrategy, Component, inject } from '@angular/core';

import { Notice } from './design/notice';
import { texts } from './texts';
import { Unloaded } from './unloaded';

/** Above the page that stays, when the next one can't be loaded. */
@Component({
  selector: 'app-unloaded-notice',
  imports: [Notice],
  template: `
    @if (unloaded.url() !== null) {
      <app-notice kind="error" [text]="texts.text" [detail]="texts.hint" [retryable]="true" (retry)="unloaded.load()" />
    }
  `,
  styles: `
    app-notice {
      display: block;
      margin-block-end: var(--space-4);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class UnloadedNotice {
  protected readonly unloaded = inject(Unloaded);
  protected readonly texts = texts.shell.unloaded;
}
