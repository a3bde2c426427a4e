import { ChangeDetectionStrategy, Component } from '@angular/core';
import { RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';

import { ThemeSwitch } from './design/theme-switch';
import { FeedStatus } from './push/feed-status';
import { texts } from './texts';

/** The layout of every page: navigation and the state of the feed. */
@Component({
  selector: 'app-root',
  imports: [FeedStatus, RouterLink, RouterLinkActive, RouterOutlet, ThemeSwitch],
  templateUrl: './app.html',
  styleUrl: './app.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class App {
  protected readonly texts = texts.shell;
  protected readonly pages = [
    { path: '/', label: texts.shop.nav, exact: true },
    { path: '/orders', label: texts.orders.nav, exact: false },
    { path: '/live', label: texts.live.nav, exact: false },
    { path: '/operations', label: texts.operations.nav, exact: false },
  ];

  /** A fragment link alone would navigate: it is relative to the base URL of the page. */
  protected skip(event: Event, main: HTMLElement): void {
    event.preventDefault();
    main.focus();
  }
}
