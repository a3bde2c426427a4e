import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';

import { texts } from '../texts';
import { Feed } from './feed';
import { LastHeard } from './last-heard';
import { StateDot } from './state-dot';

/** The state of the feed's connection, in the header of each page. */
@Component({
  selector: 'app-feed-status',
  imports: [LastHeard, StateDot],
  template: `<app-state-dot [state]="feed.state()" /><span class="small soft" role="status"
      >{{ state() }}<span class="over">{{ over() }}</span></span
    ><app-last-heard class="small soft" [at]="feed.heardAt()" [delayedSince]="feed.delayedSince()" />`,
  host: { '[class.away]': 'isAway()', '[class.connecting]': "feed.state() === 'connecting'" },
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
    /* two lines, so that the rest of the header has its room */
    :host:has(app-last-heard:not(:empty)) {
      display: inline-grid;
      grid-template-columns: auto minmax(0, 1fr);
      row-gap: 0;
      line-height: 1.3;
    }
    app-last-heard {
      grid-column: 2;
    }
    /* on narrow screens for screen readers only */
    @media (max-width: 30rem) {
      app-last-heard {
        grid-column: 1 / -1;
      }
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
  protected readonly isAway = computed(() => !['connecting', 'live'].includes(this.feed.state()));
  /** What is away is heard over nothing, and there is little room for the longer words. */
  protected readonly over = computed(() =>
    this.isAway() ? '' : texts.shell.feed.over(texts.common.protocols[this.feed.protocol()]),
  );
}
