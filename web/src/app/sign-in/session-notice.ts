import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { Session } from './session';
import { failureText } from './sign-in-page';

/** Above every page, when there is no valid token: the page itself stays. */
@Component({
  selector: 'app-session-notice',
  imports: [Notice],
  template: `
    @if (session.phase() === 'ended') {
      <app-notice kind="error" [text]="texts.ended" [detail]="hint()">
        <button type="button" class="button primary" (click)="session.signInAgain()">{{ texts.signInAgain }}</button>
      </app-notice>
    } @else if (session.issuerAway()) {
      <app-notice kind="error" [text]="texts.away" [detail]="texts.awayHint" />
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
export class SessionNotice {
  protected readonly session = inject(Session);
  protected readonly texts = texts.signIn;
  protected readonly hint = computed(() => {
    const failure = this.session.failure();
    return failure === null ? this.texts.endedHint : failureText(failure);
  });
}
