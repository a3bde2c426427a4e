import { Location } from '@angular/common';
import {
  ApplicationRef,
  ChangeDetectionStrategy,
  Component,
  ElementRef,
  Injector,
  afterNextRender,
  computed,
  inject,
  signal,
  viewChild,
} from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { Title } from '@angular/platform-browser';
import { NavigationEnd, Router, RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';
import { filter, map, pairwise, startWith } from 'rxjs';

import { Endpoints } from './api/endpoints';

import { LanguageSwitch } from './design/language-switch';
import { ThemeSwitch } from './design/theme-switch';
import { JumpBox } from './find/jump-box';
import { FeedStatus } from './push/feed-status';
import { AccountMenu } from './sign-in/account-menu';
import { Session } from './sign-in/session';
import { SessionNotice } from './sign-in/session-notice';
import { SignInPage } from './sign-in/sign-in-page';
import { texts } from './texts';
import { UnconfiguredPage } from './unconfigured-page';
import { UnloadedNotice } from './unloaded-notice';

/** The layout of every page: navigation, the state of the feed, and who is signed in. */
@Component({
  selector: 'app-root',
  imports: [
    AccountMenu,
    FeedStatus,
    JumpBox,
    LanguageSwitch,
    RouterLink,
    RouterLinkActive,
    RouterOutlet,
    SessionNotice,
    SignInPage,
    ThemeSwitch,
    UnconfiguredPage,
    UnloadedNotice,
  ],
  templateUrl: './app.html',
  styleUrl: './app.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class App {
  protected readonly texts = texts.shell;
  private readonly title = inject(Title);
  private readonly injector = inject(Injector);
  private readonly application = inject(ApplicationRef);
  private readonly main = viewChild.required<ElementRef<HTMLElement>>('main');
  private readonly endpoints = inject(Endpoints);
  protected readonly session = inject(Session);
  protected readonly started = computed(() => this.endpoints.state() === 'loaded');
  /** The page that was navigated to, for screen readers. */
  protected readonly announced = signal('');
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

  constructor() {
    inject(Router)
      .events.pipe(
        filter((event) => event instanceof NavigationEnd),
        map((event) => event.urlAfterRedirects),
        // who is quick leaves before the first page is there
        startWith(inject(Location).path() || '/'),
        // not the query, which is the state of a page
        map((url) => url.split(/[?#]/)[0]),
        pairwise(),
        filter(([from, to]) => from !== to),
        takeUntilDestroyed(),
      )
      .subscribe(() => afterNextRender(() => this.arrive(), { injector: this.injector }));
  }

  /** Has the browser paint no page whose texts are not there yet: Angular would fill it in with the next frame. */
  protected render(): void {
    queueMicrotask(() => {
      this.application.tick();
    });
  }

  /** A fragment link alone would navigate: it is relative to the base URL of the page. */
  protected skip(event: Event, main: HTMLElement): void {
    event.preventDefault();
    main.focus();
  }

  /** A page that was loaded without a document says nothing by itself, and leaves the focus where it was. */
  private arrive(): void {
    this.announced.set(this.title.getTitle());
    this.main().nativeElement.focus({ preventScroll: true });
  }
}
