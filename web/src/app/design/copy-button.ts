import { ChangeDetectionStrategy, Component, DestroyRef, inject, input, signal } from '@angular/core';

import { copyText } from '../browser';
import { texts } from '../texts';

const SHOWN_MS = 2000;

/** Copies a text to the clipboard, and confirms it. */
@Component({
  selector: 'app-copy-button',
  template: `<button type="button" class="button small" (click)="copy()">
    <span aria-live="polite">{{ shown() }}</span>
    <span class="visually-hidden">{{ what() }}</span>
  </button>`,
  styles: `
    .button {
      min-block-size: 1.75rem;
      padding-inline: var(--space-2);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class CopyButton {
  readonly text = input.required<string>();
  /** What is copied, for screen readers. */
  readonly what = input('');
  protected readonly shown = signal<string>(texts.common.copy);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    inject(DestroyRef).onDestroy(() => clearTimeout(this.timer));
  }

  protected async copy(): Promise<void> {
    this.shown.set((await copyText(this.text())) ? texts.common.copied : texts.common.notCopied);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.shown.set(texts.common.copy), SHOWN_MS);
  }
}
