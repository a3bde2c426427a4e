import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { Session } from './session';

/** In place of a page that is not for this person. */
@Component({
  selector: 'app-forbidden-page',
  imports: [Notice, RouterLink],
  template: `
    <h1>{{ texts.title }}</h1>
    <app-notice kind="empty" [text]="texts.text" [detail]="who()">
      <a routerLink="/">{{ texts.toShop }}</a>
    </app-notice>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ForbiddenPage {
  private readonly session = inject(Session);
  protected readonly texts = texts.signIn.forbidden;
  protected readonly who = computed(() => {
    const person = this.session.person();
    return person === null ? '' : this.texts.who(person.name, texts.signIn.roles[person.role]);
  });
}
