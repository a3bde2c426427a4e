import { ChangeDetectionStrategy, Component, computed, inject, input } from '@angular/core';

import { seconds } from '../design/seconds';
import { texts } from '../texts';
import { FEED_RUNTIME } from './feed-runtime';

/** A heartbeat comes every five seconds: below this age all is well. */
const USUAL_S = 7;

/** How long ago the service was last heard; or for how long what it sends is delayed. */
@Component({
  selector: 'app-last-heard',
  template: `{{ text() }}`,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class LastHeard {
  /** In milliseconds since 1970; null when it was not heard yet. */
  readonly at = input.required<number | null>();
  /** Since when it can't read the feed, in milliseconds since 1970; null while it can. */
  readonly delayedSince = input<number | null>(null);
  /** Whether it is said also when it is not unusual. */
  readonly always = input(false);
  private readonly runtime = inject(FEED_RUNTIME);
  private readonly now = seconds(() => this.runtime.now());
  protected readonly text = computed(() => {
    const [at, delayedSince] = [this.at(), this.delayedSince()];
    if (delayedSince !== null) return texts.shell.feed.delayedFor(this.ageS(delayedSince));
    if (at === null) return this.always() ? texts.shell.feed.neverHeard : '';
    const ageS = this.ageS(at);
    return this.always() || ageS >= USUAL_S ? texts.shell.feed.heard(ageS) : '';
  });

  private ageS(at: number): number {
    return Math.floor(Math.max(0, this.now() - at) / 1000);
  }
}
