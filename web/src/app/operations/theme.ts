import { DOCUMENT, DestroyRef, Injectable, Signal, inject, signal } from '@angular/core';

/** The values of design tokens in the current theme, for canvases. */
@Injectable({ providedIn: 'root' })
export class Theme {
  private readonly document = inject(DOCUMENT);
  private readonly changes = signal(0);

  /** Counts the changes of the theme. */
  readonly version: Signal<number> = this.changes.asReadonly();

  constructor() {
    const changed = (): void => this.changes.update((count) => count + 1);
    const observer = new MutationObserver(changed);
    observer.observe(this.document.documentElement, { attributeFilter: ['data-theme'] });
    const system = this.document.defaultView?.matchMedia?.('(prefers-color-scheme: dark)');
    system?.addEventListener('change', changed);
    inject(DestroyRef).onDestroy(() => {
      observer.disconnect();
      system?.removeEventListener('change', changed);
    });
  }

  /** The colour of *token* as `rgb(…)`: a canvas does not support `light-dark()`. */
  colour(token: string): string {
    const probe = this.document.createElement('span');
    probe.style.color = `var(${token})`;
    this.document.body.append(probe);
    const colour = this.document.defaultView?.getComputedStyle(probe).color ?? '';
    probe.remove();
    return colour;
  }
}
