import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';

import { texts } from '../texts';
import { Feed } from './feed';

/** Whether news arrive, in every page's header. */
@Component({
  selector: 'app-feed-dot',
  template: `<span class="dot" [class]="feed.state()" aria-hidden="true"></span
    ><span class="small soft" role="status">{{ label() }}</span>`,
  styles: `
    :host {
      display: inline-flex;
      align-items: center;
      gap: var(--space-2);
    }
    .dot {
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
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class FeedDot {
  protected readonly feed = inject(Feed);
  protected readonly label = computed(() =>
    texts.shell.feed.label(texts.shell.feed[this.feed.state()], texts.common.protocols[this.feed.protocol()]),
  );
}
