import { ChangeDetectionStrategy, Component, DestroyRef, computed, inject, signal } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Notice } from '../design/notice';
import { StatusBadge } from '../design/status-badge';
import { Arrival, FeedConnection } from '../push/connection';
import { FeedState, Protocol } from '../push/feed';
import { FEED_WORLD } from '../push/feed-world';
import { texts } from '../texts';
import { formatMs } from './durations';
import { Lap, addArrivals, behindMs, clockErrorMs, gap, lane } from './race';
import { Sparkline } from './sparkline';
import { TradeOff } from './trade-off';

const ROWS = 15;
/** What came is shown so often only: to draw it in between would hold up the other connection, and be measured. */
const SHOW_EVERY_MS = 250;
/** Clocks are read to a part of a millisecond only. */
const CLOCK_ERROR_MS = 1;
const PROTOCOLS: readonly Protocol[] = ['sse', 'ws'];

/** Opens a connection of each kind while it is shown, and compares what comes over both. */
@Component({
  selector: 'app-side-by-side',
  imports: [Notice, RouterLink, Sparkline, StatusBadge, TradeOff],
  templateUrl: './side-by-side.html',
  styleUrl: './side-by-side.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class SideBySide {
  protected readonly texts = texts.live.compare;
  protected readonly names = texts.common.protocols;
  private readonly laps = signal<readonly Lap[]>([]);
  private readonly states = { sse: signal<FeedState>('connecting'), ws: signal<FeedState>('connecting') };

  protected readonly lanes = computed(() => {
    const lanes = PROTOCOLS.map((protocol) => ({ protocol, ...lane(this.laps(), protocol) }));
    const most = Math.max(0, ...lanes.map((each) => each.p95Ms ?? 0)) * 1.2;
    return lanes.map((each) => ({
      ...each,
      most,
      title: this.texts.over(this.names[each.protocol]),
      state: texts.live.connection.states[this.states[each.protocol]()],
      p50: written(each.p50Ms),
      p95: written(each.p95Ms),
      bytes: each.meanBytes === null ? '–' : each.meanBytes.toFixed(0),
      label: this.texts.sparkline(this.names[each.protocol], each.latenciesMs.length),
    }));
  });

  protected readonly difference = computed(() => {
    const { count, first, p50Ms, p95Ms } = gap(this.laps());
    return {
      count,
      p50: written(p50Ms, 1),
      p95: written(p95Ms, 1),
      first: PROTOCOLS.map((each) => this.texts.firstOf(this.names[each], first[each], count)),
    };
  });

  protected readonly rows = computed(() =>
    this.laps()
      .slice(0, ROWS)
      .map((lap) => ({
        notification: lap.notification,
        order: texts.live.feed.order(lap.notification.orderId),
        latencies: PROTOCOLS.map((protocol) => {
          const [latencyMs] = lane([lap], protocol).latenciesMs;
          return latencyMs === undefined ? this.texts.awaited : formatMs(latencyMs);
        }),
        behind: written(behindMs(lap), 1),
      })),
  );

  protected readonly clocks = computed(() => {
    const errorMs = clockErrorMs(this.laps());
    return errorMs > CLOCK_ERROR_MS ? this.texts.clocksDiffer(formatMs(errorMs)) : '';
  });

  private readonly world = inject(FEED_WORLD);
  private arrived: Arrival[] = [];
  private cancelShow: (() => void) | null = null;

  constructor() {
    const connections = PROTOCOLS.map((protocol) => {
      const connection: FeedConnection = new FeedConnection({ protocol }, this.world, (arrived) => {
        this.states[protocol].set(connection.state);
        if (arrived.length > 0) this.showLater(arrived);
      });
      return connection;
    });
    for (const each of connections) each.start();
    const ends = new AbortController();
    addEventListener('online', () => connections.forEach((each) => each.online()), { signal: ends.signal });
    addEventListener('offline', () => connections.forEach((each) => each.offline()), { signal: ends.signal });
    inject(DestroyRef).onDestroy(() => {
      ends.abort();
      for (const each of connections) each.stop();
      this.cancelShow?.();
    });
  }

  private showLater(arrived: readonly Arrival[]): void {
    this.arrived.push(...arrived);
    this.cancelShow ??= this.world.later(SHOW_EVERY_MS, () => {
      this.cancelShow = null;
      const all = this.arrived;
      this.arrived = [];
      this.laps.update((laps) => addArrivals(laps, all));
    });
  }
}

function written(durationMs: number | null, digits = 0): string {
  return durationMs === null ? '–' : formatMs(durationMs, digits);
}
