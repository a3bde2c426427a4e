import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { QueueStats } from './stats';
import { THRESHOLDS, levelOf } from './findings';

// the depth is polled from SQS every five seconds at most
const STALE_AFTER_S = 15;

/** The depth of each queue and dead-letter queue. */
@Component({
  selector: 'app-queue-panel',
  imports: [Notice],
  templateUrl: './queue-panel.html',
  styleUrl: './panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class QueuePanel {
  readonly queues = input.required<readonly QueueStats[]>();

  protected readonly texts = texts.operations.queues;
  protected readonly rows = computed(() =>
    this.queues().map((each) => ({
      ...each,
      level: each.deadLetters ? (each.visible > 0 ? 'bad' : '') : levelOf(each.visible, THRESHOLDS.backlog),
      age: each.ageSeconds > STALE_AFTER_S ? this.texts.age(each.ageSeconds) : '',
    })),
  );
}
