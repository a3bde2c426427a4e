import { Location } from '@angular/common';
import { ApplicationRef, DOCUMENT, Injectable, inject, signal } from '@angular/core';
import { NavigationError, NavigationStart, Router } from '@angular/router';
import { filter } from 'rxjs';

import { BROWSER } from './sign-in/browser';

const LIMIT_MS = 5_000;

/**
 * The page that could not be navigated to, or lacks a part, as its code is gone after a deploy.
 *
 * A document of the server has the code of the present version: it is loaded in place of the page, once no request of
 * the page is under way. It never begins a loop: where the first page of a document fails, another document would too.
 */
@Injectable({ providedIn: 'root' })
export class Unloaded {
  private readonly router = inject(Router);
  private readonly location = inject(Location);
  private readonly application = inject(ApplicationRef);
  private readonly browser = inject(BROWSER);
  private readonly base = inject(DOCUMENT).baseURI;
  private readonly failed = signal<string | null>(null);

  /** Its URL, when no document was loaded for it; null otherwise. */
  readonly url = this.failed.asReadonly();

  constructor() {
    this.router.events.pipe(filter((event) => event instanceof NavigationStart)).subscribe(() => this.failed.set(null));
  }

  async onError({ id, url }: NavigationError): Promise<void> {
    const wanted = this.location.prepareExternalUrl(url);
    const isFirst = this.router.lastSuccessfulNavigation() === null;
    if (isFirst || !(await this.isServed())) return this.failed.set(wanted);
    await this.application.whenStable();
    // who went elsewhere meanwhile stays there
    if ((this.router.lastSuccessfulNavigation()?.id ?? 0) < id) this.browser.leaveFor(wanted);
  }

  /** The code of a part of the page; rejects when it is gone, and no document is loaded for it. */
  async part<T>(load: () => Promise<T>): Promise<T> {
    try {
      return await load();
    } catch (error) {
      const page = this.router.lastSuccessfulNavigation();
      const isFirst = (page?.previousNavigation ?? null) === null;
      if (isFirst || !(await this.isServed())) throw error;
      await this.application.whenStable();
      // who went elsewhere meanwhile does not need it
      if (this.router.lastSuccessfulNavigation() !== page) throw error;
      this.browser.leaveFor(this.location.prepareExternalUrl(this.router.url));
      return new Promise<never>(() => undefined);
    }
  }

  /** Load the document of the page that is wanted. */
  load(): void {
    const url = this.failed();
    if (url !== null) this.browser.leaveFor(url);
  }

  /** Without the server, the browser would show a page of its own. */
  private async isServed(): Promise<boolean> {
    const options = { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(LIMIT_MS) } as const;
    return fetch(this.base, options).then(
      (response) => response.ok,
      () => false,
    );
  }
}
