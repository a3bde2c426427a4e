import { ChangeDetectionStrategy, Component, DestroyRef, inject } from '@angular/core';

import { Endpoints } from './api/endpoints';
import { Notice } from './design/notice';
import { texts } from './texts';

const RETRY_MS = 5_000;

/** In place of everything, until the configuration is loaded; retries by itself. */
@Component({
  selector: 'app-unconfigured-page',
  imports: [Notice],
  template: `
    <h1>{{ texts.title }}</h1>
    <app-notice kind="error" [text]="texts.text" [detail]="texts.hint" [retryable]="true" (retry)="load()" />
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class UnconfiguredPage {
  private readonly endpoints = inject(Endpoints);
  protected readonly texts = texts.shell.unconfigured;

  constructor() {
    const timer = setInterval(() => this.load(), RETRY_MS);
    inject(DestroyRef).onDestroy(() => clearInterval(timer));
  }

  protected load(): void {
    if (this.endpoints.state() === 'failed') void this.endpoints.load();
  }
}
