import { ChangeDetectionStrategy, Component } from '@angular/core';
import { RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';

import { ThemeSwitch } from './design/theme-switch';
import { FeedDot } from './push/feed-dot';
import { texts } from './texts';

/** The frame around every page: where one is, where one can go, and whether news arrive. */
@Component({
  selector: 'app-root',
  imports: [FeedDot, RouterLink, RouterLinkActive, RouterOutlet, ThemeSwitch],
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

  /** The link alone would lead away: it counts from the base of the page. */
  protected skip(event: Event, main: HTMLElement): void {
    event.preventDefault();
    main.focus();
  }
}
