import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';
import { RouterLink } from '@angular/router';

import { StatusBadge } from '../design/status-badge';
import { texts } from '../texts';
import { locale } from '../texts/language';
import { formatMs, latencyMs } from './durations';
import { LogEntry } from './notification-log';

const CLOCK = new Intl.DateTimeFormat(locale, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

interface Row {
  readonly entry: LogEntry;
  readonly timeLabel: string;
  readonly time: string;
  readonly latency: string;
  readonly over: string;
}

/** Notifications, the newest first. */
@Component({
  selector: 'app-notification-list',
  imports: [RouterLink, StatusBadge],
  templateUrl: './notification-list.html',
  styleUrl: './notification-list.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class NotificationList {
  readonly entries = input.required<readonly LogEntry[]>();
  private readonly known = new WeakMap<LogEntry, Row>();
  protected readonly texts = texts.live.feed;
  protected readonly rows = computed(() => this.entries().map((each) => this.row(each)));

  /** An entry never changes, and new ones come many times a second. */
  private row(entry: LogEntry): Row {
    const row = this.known.get(entry) ?? rowOf(entry);
    this.known.set(entry, row);
    return row;
  }
}

function rowOf(entry: LogEntry): Row {
  const { notification, received } = entry;
  const { columns, at, fromHistory } = texts.live.feed;
  if (received === null) {
    const occurred = new Date(notification.occurredAt);
    const today = occurred.toDateString() === new Date().toDateString();
    const time = today ? CLOCK.format(occurred) : at(occurred.getTime());
    return { entry, timeLabel: columns.happened, time, latency: '', over: fromHistory };
  }
  return {
    entry,
    timeLabel: columns.time,
    time: CLOCK.format(received.receivedAt),
    latency: formatMs(latencyMs(received)),
    over: texts.common.protocols[received.protocol],
  };
}
