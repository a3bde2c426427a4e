import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { OutboxStats, SagaStats } from './stats';
import { THRESHOLDS, levelOf } from './findings';
import { serviceName } from './labels';

/** The backlog of the outboxes and the sagas; what can't be read now is unknown. */
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
    this.outboxes().map(({ service, current, pending, oldestSeconds }) => ({
      name: serviceName(service),
      pending: current ? texts.operations.count(pending) : texts.operations.none,
      oldest: current && pending > 0 ? texts.operations.duration(oldestSeconds) : texts.operations.none,
      level: current ? levelOf(oldestSeconds, THRESHOLDS.outboxSeconds) : '',
    })),
  );
  protected readonly sagaRows = computed(() => {
    const sagas = this.sagas();
    if (sagas === null) return [];
    const { count, duration, none } = texts.operations;
    const { current, open, late, oldestSeconds } = sagas;
    const oldest = oldestSeconds > 0 ? duration(oldestSeconds) : none;
    const isState = false;
    const rows = [
      ...open.map(({ name, total }) => ({ name, isState: true, value: count(total), level: '' })),
      { name: this.texts.total, isState, value: count(open.reduce((sum, each) => sum + each.total, 0)), level: '' },
      { name: this.texts.oldestOpen, isState, value: oldest, level: levelOf(oldestSeconds, THRESHOLDS.sagaSeconds) },
      { name: this.texts.lateSagas, isState, value: count(late), level: late > 0 ? 'warn' : '' },
    ];
    return current ? rows : rows.map((each) => ({ ...each, value: none, level: '' }));
  });
}
