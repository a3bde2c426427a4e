import { ChangeDetectionStrategy, Component, DestroyRef, computed, inject, signal } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Notice } from '../design/notice';
import { StatusBadge } from '../design/status-badge';
import { Protocol } from '../push/feed';
import { FEED_RUNTIME } from '../push/feed-runtime';
import { shareConnection } from '../push/shared-connection';
import { Status } from '../push/sharing';
import { LastHeard } from '../push/last-heard';
import { StateDot } from '../push/state-dot';
import { texts } from '../texts';
import { formatMs } from './durations';
import {
  CLOCK_RESOLUTION_MS,
  NotificationPair,
  clockOffsetMs,
  delayMs,
  differenceOf,
  pairsOf,
  statsOf,
} from './comparison';
import { Sparkline } from './sparkline';
import { TradeOff } from './trade-off';

const ROWS = 15;
/** Updates are batched: rendering would delay the other connection and distort the measurement. */
const UPDATE_INTERVAL_MS = 250;
const PROTOCOLS: readonly Protocol[] = ['sse', 'ws'];

/** Compares the notifications of a connection over each protocol, which the tabs that show this share. */
@Component({
  selector: 'app-side-by-side',
  imports: [LastHeard, Notice, RouterLink, Sparkline, StateDot, StatusBadge, TradeOff],
  templateUrl: './side-by-side.html',
  styleUrl: './side-by-side.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class SideBySide {
  protected readonly texts = texts.live.compare;
  protected readonly names = texts.common.protocols;
  private readonly pairs = signal<readonly NotificationPair[]>([]);
  private readonly statuses = signal<Readonly<Partial<Record<Protocol, Status>>>>({});
  protected readonly alone = signal(false);

  protected readonly columns = computed(() => {
    const columns = PROTOCOLS.map((protocol) => ({ protocol, ...statsOf(this.pairs(), protocol) }));
    const maximum = Math.max(0, ...columns.map((each) => each.p95Ms ?? 0)) * 1.2;
    return columns.map((each) => ({
      ...each,
      maximum,
      title: this.texts.over(this.names[each.protocol]),
      state: this.statuses()[each.protocol]?.state ?? 'connecting',
      heardAt: this.statuses()[each.protocol]?.heardAt ?? null,
      p50: formatted(each.p50Ms),
      p95: formatted(each.p95Ms),
      bytes: each.meanBytes === null ? '–' : each.meanBytes.toFixed(0),
      label: this.texts.sparkline(this.names[each.protocol], each.latenciesMs.length),
    }));
  });

  protected readonly difference = computed(() => {
    const { count, first, ties, p50Ms, p95Ms } = differenceOf(this.pairs());
    return {
      count,
      p50: formatted(p50Ms, 1),
      p95: formatted(p95Ms, 1),
      first: [
        ...PROTOCOLS.map((each) => this.texts.firstOf(this.names[each], first[each], count)),
        this.texts.ties(ties, count),
      ],
    };
  });

  protected readonly rows = computed(() =>
    this.pairs()
      .slice(0, ROWS)
      .map((pair) => ({
        notification: pair.notification,
        order: texts.live.feed.order(pair.notification.orderId),
        latencies: PROTOCOLS.map((protocol) => {
          const [latencyMs] = statsOf([pair], protocol).latenciesMs;
          return latencyMs === undefined ? this.texts.notReceived : formatMs(latencyMs);
        }),
        delay: formatted(delayMs(pair), 1),
      })),
  );

  protected readonly clocks = computed(() => {
    const errorMs = clockOffsetMs(this.pairs());
    return errorMs > CLOCK_RESOLUTION_MS ? this.texts.clocksDiffer(formatMs(errorMs)) : '';
  });

  protected readonly stateTexts = texts.live.connection.states;
  private readonly runtime = inject(FEED_RUNTIME);
  // before the connections, which may report at once
  private cancelUpdate: (() => void) | null = null;
  private readonly sharings = PROTOCOLS.map((protocol) =>
    shareConnection(`compare/${protocol}`, { shared: protocol, alone: protocol }, () => this.scheduleUpdate()),
  );

  constructor() {
    inject(DestroyRef).onDestroy(() => this.cancelUpdate?.());
  }

  private scheduleUpdate(): void {
    this.cancelUpdate ??= this.runtime.later(UPDATE_INTERVAL_MS, () => {
      this.cancelUpdate = null;
      const [sse, ws] = this.sharings;
      this.pairs.set(pairsOf(sse?.recent ?? [], ws?.recent ?? []));
      this.statuses.set({ ...(sse && { sse: sse.status }), ...(ws && { ws: ws.status }) });
      this.alone.set(this.sharings.some((each) => each.isAlone));
    });
  }
}

function formatted(durationMs: number | null, digits = 0): string {
  return durationMs === null ? '–' : formatMs(durationMs, digits);
}
