import { ChangeDetectionStrategy, Component, DestroyRef, computed, inject, input, signal } from '@angular/core';

import { texts } from '../texts';
import { FEED_RUNTIME } from './feed-runtime';

const TICK_MS = 1_000;
/** A heartbeat comes every five seconds: up to this age all is well. */
const USUAL_MS = 7_000;

/** How long ago the service was last heard. */
@Component({
  selector: 'app-last-heard',
  template: `{{ text() }}`,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class LastHeard {
  /** In milliseconds since 1970; null when it was not heard yet. */
  readonly at = input.required<number | null>();
  /** Whether it is said also when it is not unusual. */
  readonly always = input(false);
  private readonly runtime = inject(FEED_RUNTIME);
  private readonly now = signal(this.runtime.now());
  protected readonly text = computed(() => {
    const at = this.at();
    if (at === null) return this.always() ? texts.shell.feed.neverHeard : '';
    const ageMs = Math.max(0, this.now() - at);
    return this.always() || ageMs > USUAL_MS ? texts.shell.feed.heard(Math.floor(ageMs / 1000)) : '';
  });

  constructor() {
    const timer = setInterval(() => this.now.set(this.runtime.now()), TICK_MS);
    inject(DestroyRef).onDestroy(() => clearInterval(timer));
  }
}
