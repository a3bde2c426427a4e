import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';

import { Skeleton } from '../design/skeleton';
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
import { TracePanel } from './trace-panel';

/** What an operator wants to see: what is late or broken, at a glance, and the numbers behind it. */
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
    TracePanel,
  ],
  templateUrl: './operations-page.html',
  styleUrl: './operations-page.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OperationsPage {
  protected readonly monitor = inject(Monitor);
  protected readonly texts = texts.operations;
  protected readonly charts = CHARTS;
  protected readonly asked = computed(() => this.monitor.at() !== null);
  protected readonly late = computed(() => this.monitor.lastFacts().sagas?.late ?? 0);

  constructor() {
    this.monitor.rounds.pipe(takeUntilDestroyed()).subscribe();
  }

  protected look(): void {
    void this.monitor.look();
  }
}
