import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';
import { RouterLink } from '@angular/router';

import { StatusBadge } from '../design/status-badge';
import { Received } from '../push/feed';
import { texts } from '../texts';
import { formatMs, latencyMs } from './durations';

const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** Notifications, the newest first. */
@Component({
  selector: 'app-notification-list',
  imports: [RouterLink, StatusBadge],
  templateUrl: './notification-list.html',
  styleUrl: './notification-list.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class NotificationList {
  readonly received = input.required<readonly Received[]>();
  protected readonly texts = texts.live.feed;
  protected readonly rows = computed(() =>
    this.received().map((each) => ({
      ...each,
      time: CLOCK.format(each.receivedAt),
      latency: formatMs(latencyMs(each)),
      over: texts.common.protocols[each.protocol],
    })),
  );
}
