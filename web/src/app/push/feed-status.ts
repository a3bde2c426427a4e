import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';

import { texts } from '../texts';
import { Feed } from './feed';

/** The state of the feed's connection, in the header of each page. */
@Component({
  selector: 'app-feed-status',
  template: `<span class="dot" [class]="feed.state()" aria-hidden="true"></span
    ><span class="small soft" role="status"
      >{{ state() }}<span class="over">{{ over() }}</span></span
    >`,
  styles: `
    :host {
      display: inline-flex;
      align-items: center;
      gap: var(--space-2);
      min-inline-size: 0;
    }
    .small {
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    .dot {
      flex: none;
      inline-size: 0.625rem;
      block-size: 0.625rem;
      border-radius: 50%;
      background: var(--warn);
    }
    .dot.live {
      background: var(--good);
    }
    .dot.offline {
      background: var(--bad);
    }
    /* on narrow screens for screen readers only */
    @media (max-width: 30rem) {
      .over {
        position: absolute;
        inline-size: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class FeedStatus {
  protected readonly feed = inject(Feed);
  protected readonly state = computed(() => texts.shell.feed[this.feed.state()]);
  protected readonly over = computed(() => texts.shell.feed.over(texts.common.protocols[this.feed.protocol()]));
}
