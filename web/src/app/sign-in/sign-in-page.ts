import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { Failure, Session } from './session';

/** In place of the pages, until somebody has signed in. */
@Component({
  selector: 'app-sign-in-page',
  imports: [Notice],
  template: `
    @switch (session.phase()) {
      @case ('signed-out') {
        <h1>{{ texts.signedOut.title }}</h1>
        <app-notice kind="empty" [text]="texts.signedOut.text">
          <button type="button" class="button primary" (click)="session.signIn()">{{ texts.signIn }}</button>
        </app-notice>
      }
      @case ('failed') {
        <h1>{{ texts.failed.title }}</h1>
        <app-notice kind="error" [text]="failure()" [retryable]="true" (retry)="session.signIn()" />
      }
      @case ('relayed') {
        <h1>{{ texts.relayed.title }}</h1>
        <p role="status">{{ texts.relayed.text }}</p>
      }
      @default {
        <h1>{{ texts.signingIn.title }}</h1>
        <p class="soft" role="status">{{ texts.signingIn.text }}</p>
      }
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class SignInPage {
  protected readonly session = inject(Session);
  protected readonly texts = texts.signIn;
  protected readonly failure = computed(() => failureText(this.session.failure()));
}

export function failureText(failure: Failure | null): string {
  const { failed } = texts.signIn;
  if (failure === null || failure === 'unreachable') return failed.unreachable;
  if (failure === 'not-stored') return failed.notStored;
  return failure === 'insecure' ? failed.insecure : failed.refused(failure.refused);
}
