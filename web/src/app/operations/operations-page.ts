import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';

import { Skeleton } from '../design/skeleton';
import { Session } from '../sign-in/session';
import { texts } from '../texts';
import { CHARTS } from './charts';
import { LagPanel } from './lag-panel';
import { LatePanel } from './late-panel';
import { LineChart } from './line-chart';
import { Monitor } from './monitor';
import { PushPanel } from './push-panel';
import { QueuePanel } from './queue-panel';
import { ServiceBoard } from './service-board';
import { StaleNote } from './stale-note';
import { StatusLine } from './status-line';
import { StockPanel } from './stock-panel';
import { TracePanel } from './trace-panel';

/** The operations dashboard: findings, charts and statistics. */
@Component({
  selector: 'app-operations-page',
  imports: [
    LagPanel,
    LatePanel,
    LineChart,
    PushPanel,
    QueuePanel,
    ServiceBoard,
    Skeleton,
    StaleNote,
    StatusLine,
    StockPanel,
    TracePanel,
  ],
  templateUrl: './operations-page.html',
  styleUrl: './operations-page.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OperationsPage {
  protected readonly monitor = inject(Monitor);
  protected readonly may = inject(Session).may;
  protected readonly texts = texts.operations;
  protected readonly charts = CHARTS;
  protected readonly asked = computed(() => this.monitor.at() !== null);
  protected readonly late = computed(() => this.monitor.latestStats().sagas?.late ?? 0);

  constructor() {
    this.monitor.polls.pipe(takeUntilDestroyed()).subscribe();
  }

  protected poll(): void {
    void this.monitor.poll();
  }
}
