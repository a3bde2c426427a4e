import { ChangeDetectionStrategy, Component, input } from '@angular/core';
import { FeedState } from 'orderstream-client';

/**
 * The state of a connection as a dot, with a text beside it: full and green while the service is heard, at least by its
 * heartbeats, and reads the feed; a ring otherwise.
 */
@Component({
  selector: 'app-state-dot',
  template: '',
  host: { 'aria-hidden': 'true', '[class]': 'state()' },
  styles: `
    :host {
      flex: none;
      inline-size: 0.625rem;
      block-size: 0.625rem;
      border: 0.1875rem solid var(--warn);
      border-radius: 50%;
    }
    /* a border, which forced colours leave */
    :host.live {
      border: 0.3125rem solid var(--good);
    }
    :host.offline,
    :host.ended {
      border-color: var(--bad);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class StateDot {
  readonly state = input.required<FeedState>();
}
