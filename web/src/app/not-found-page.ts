import { ChangeDetectionStrategy, Component } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Notice } from './design/notice';
import { texts } from './texts';

/** For an address that no page has. */
@Component({
  selector: 'app-not-found-page',
  imports: [Notice, RouterLink],
  template: `
    <h1>{{ texts.title }}</h1>
    <app-notice kind="empty" [text]="texts.text">
      <a routerLink="/">{{ texts.toShop }}</a>
    </app-notice>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class NotFoundPage {
  protected readonly texts = texts.shell.notFound;
}
