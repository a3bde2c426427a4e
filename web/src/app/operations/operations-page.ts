import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';

import { Demo } from '../api/demo';
import { SERVICES, Service } from '../api/endpoints';
import { Skeleton } from '../design/skeleton';
import { Session } from '../sign-in/session';
import { texts } from '../texts';
import { CHARTS } from './charts';
import { ConnectionsPanel } from './connections-panel';
import { DeadLettersPanel } from './dead-letters-panel';
import { DemoPanel } from './demo-panel';
import { IncidentsPanel } from './incidents-panel';
import { LagPanel } from './lag-panel';
import { LatePanel } from './late-panel';
import { LineChart } from './line-chart';
import { Monitor } from './monitor';
import { PushPanel } from './push-panel';
import { QueuePanel } from './queue-panel';
import { SaturationPanel } from './saturation-panel';
import { ServiceBoard } from './service-board';
import { StaleNote } from './stale-note';
import { StatusLine } from './status-line';
import { StockPanel } from './stock-panel';
import { TracePanel } from './trace-panel';
import { TrafficPanel } from './traffic-panel';

/** The operations dashboard: findings, charts and statistics. */
@Component({
  selector: 'app-operations-page',
  imports: [
    ConnectionsPanel,
    DeadLettersPanel,
    DemoPanel,
    IncidentsPanel,
    LagPanel,
    LatePanel,
    LineChart,
    PushPanel,
    QueuePanel,
    SaturationPanel,
    ServiceBoard,
    Skeleton,
    StaleNote,
    StatusLine,
    StockPanel,
    TracePanel,
    TrafficPanel,
  ],
  templateUrl: './operations-page.html',
  styleUrl: './operations-page.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OperationsPage {
  protected readonly monitor = inject(Monitor);
  protected readonly demo = inject(Demo);
  protected readonly may = inject(Session).may;
  protected readonly texts = texts.operations;
  protected readonly charts = CHARTS;
  protected readonly services = SERVICES;
  protected readonly late = computed(() => this.monitor.latestStats().sagas?.late ?? 0);

  protected readonly deadLetters = computed(() =>
    this.monitor
      .latestStats()
      .queues.filter((queue) => queue.deadLetters)
      .reduce((sum, queue) => sum + queue.visible, 0),
  );

  constructor() {
    this.monitor.polls.pipe(takeUntilDestroyed()).subscribe();
  }

  /** Whether one of *services* was asked for its metrics. */
  protected isAsked(services: readonly Service[]): boolean {
    return services.some((each) => this.monitor.asked().has(each));
  }

  protected poll(): void {
    void this.monitor.poll();
  }
}
