import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { OutboxStats, SagaStats } from './stats';
import { THRESHOLDS, levelOf } from './findings';
import { serviceName } from './labels';

/** The backlog of the outboxes and the sagas. */
@Component({
  selector: 'app-lag-panel',
  imports: [Notice],
  templateUrl: './lag-panel.html',
  styleUrl: './panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class LagPanel {
  readonly outboxes = input.required<readonly OutboxStats[]>();
  readonly sagas = input.required<SagaStats | null>();

  protected readonly texts = texts.operations.lag;
  protected readonly rows = computed(() =>
    this.outboxes().map((each) => ({
      name: serviceName(each.service),
      pending: texts.operations.count(each.pending),
      oldest: each.pending > 0 ? texts.operations.duration(each.oldestSeconds) : texts.operations.none,
      level: levelOf(each.oldestSeconds, THRESHOLDS.outboxSeconds),
    })),
  );
  protected readonly total = computed(() => this.sagas()?.open.reduce((sum, each) => sum + each.total, 0) ?? 0);
  protected readonly oldest = computed(() => {
    const seconds = this.sagas()?.oldestSeconds ?? 0;
    return seconds > 0 ? texts.operations.duration(seconds) : texts.operations.none;
  });
  protected readonly oldestLevel = computed(() => levelOf(this.sagas()?.oldestSeconds ?? 0, THRESHOLDS.sagaSeconds));
}
