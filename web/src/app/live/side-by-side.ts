import { ChangeDetectionStrategy, Component, DestroyRef, computed, inject, signal } from '@angular/core';
import { RouterLink } from '@angular/router';
import { Arrival, FeedConnection, listenForNetwork } from 'orderstream-client';

import { Notice } from '../design/notice';
import { StatusBadge } from '../design/status-badge';
import { FeedState, Protocol } from '../push/feed';
import { FEED_RUNTIME } from '../push/feed-runtime';
import { Session } from '../sign-in/session';
import { texts } from '../texts';
import { formatMs } from './durations';
import { NotificationPair, addArrivals, delayMs, clockOffsetMs, differenceOf, statsOf } from './comparison';
import { Sparkline } from './sparkline';
import { TradeOff } from './trade-off';

const ROWS = 15;
/** Updates are batched: rendering would delay the other connection and distort the measurement. */
const UPDATE_INTERVAL_MS = 250;
/** The resolution of the browser's clocks. */
const CLOCK_RESOLUTION_MS = 1;
const PROTOCOLS: readonly Protocol[] = ['sse', 'ws'];

/** Opens a connection over each protocol while it is shown, and compares their notifications. */
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
  private readonly pairs = signal<readonly NotificationPair[]>([]);
  private readonly states = { sse: signal<FeedState>('connecting'), ws: signal<FeedState>('connecting') };

  protected readonly columns = computed(() => {
    const columns = PROTOCOLS.map((protocol) => ({ protocol, ...statsOf(this.pairs(), protocol) }));
    const maximum = Math.max(0, ...columns.map((each) => each.p95Ms ?? 0)) * 1.2;
    return columns.map((each) => ({
      ...each,
      maximum,
      title: this.texts.over(this.names[each.protocol]),
      state: texts.live.connection.states[this.states[each.protocol]()],
      p50: formatted(each.p50Ms),
      p95: formatted(each.p95Ms),
      bytes: each.meanBytes === null ? '–' : each.meanBytes.toFixed(0),
      label: this.texts.sparkline(this.names[each.protocol], each.latenciesMs.length),
    }));
  });

  protected readonly difference = computed(() => {
    const { count, first, p50Ms, p95Ms } = differenceOf(this.pairs());
    return {
      count,
      p50: formatted(p50Ms, 1),
      p95: formatted(p95Ms, 1),
      first: PROTOCOLS.map((each) => this.texts.firstOf(this.names[each], first[each], count)),
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
          return latencyMs === undefined ? this.texts.pending : formatMs(latencyMs);
        }),
        delay: formatted(delayMs(pair), 1),
      })),
  );

  protected readonly clocks = computed(() => {
    const errorMs = clockOffsetMs(this.pairs());
    return errorMs > CLOCK_RESOLUTION_MS ? this.texts.clocksDiffer(formatMs(errorMs)) : '';
  });

  private readonly runtime = inject(FEED_RUNTIME);
  private arrived: Arrival[] = [];
  private cancelUpdate: (() => void) | null = null;

  constructor() {
    const isFiltered = !inject(Session).may().seeAll;
    const connections = PROTOCOLS.map((protocol) => {
      const connection: FeedConnection = new FeedConnection({ protocol, isFiltered }, this.runtime, (arrived) => {
        this.states[protocol].set(connection.state);
        if (arrived.length > 0) this.scheduleUpdate(arrived);
      });
      return connection;
    });
    for (const each of connections) each.start();
    const listeners = connections.map(listenForNetwork);
    inject(DestroyRef).onDestroy(() => {
      for (const stopListening of listeners) stopListening();
      for (const each of connections) each.stop();
      this.cancelUpdate?.();
    });
  }

  private scheduleUpdate(arrived: readonly Arrival[]): void {
    this.arrived.push(...arrived);
    this.cancelUpdate ??= this.runtime.later(UPDATE_INTERVAL_MS, () => {
      this.cancelUpdate = null;
      const all = this.arrived;
      this.arrived = [];
      this.pairs.update((pairs) => addArrivals(pairs, all));
    });
  }
}

function formatted(durationMs: number | null, digits = 0): string {
  return durationMs === null ? '–' : formatMs(durationMs, digits);
}
