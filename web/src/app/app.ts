import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';
import { RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';

import { ThemeSwitch } from './design/theme-switch';
import { FeedStatus } from './push/feed-status';
import { AccountMenu } from './sign-in/account-menu';
import { Session } from './sign-in/session';
import { SessionNotice } from './sign-in/session-notice';
import { SignInPage } from './sign-in/sign-in-page';
import { texts } from './texts';

/** The layout of every page: navigation, the state of the feed, and who is signed in. */
@Component({
  selector: 'app-root',
  imports: [
    AccountMenu,
    FeedStatus,
    RouterLink,
    RouterLinkActive,
    RouterOutlet,
    SessionNotice,
    SignInPage,
    ThemeSwitch,
  ],
  templateUrl: './app.html',
  styleUrl: './app.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class App {
  protected readonly texts = texts.shell;
  protected readonly session = inject(Session);
  protected readonly pages = computed(() => {
    const { seeAll } = this.session.may();
    return [
      { path: '/', label: texts.shop.nav, exact: true },
      { path: '/orders', label: seeAll ? texts.orders.nav : texts.orders.own.nav, exact: false },
      { path: '/live', label: texts.live.nav, exact: false },
      ...(seeAll ? [{ path: '/operations', label: texts.operations.nav, exact: false }] : []),
      ...(seeAll ? [{ path: '/docs', label: texts.docs.link, exact: false }] : []),
    ];
  });

  /** A fragment link alone would navigate: it is relative to the base URL of the page. */
  protected skip(event: Event, main: HTMLElement): void {
    event.preventDefault();
    main.focus();
  }
}
