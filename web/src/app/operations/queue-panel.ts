import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { QueueFacts } from './facts';
import { THRESHOLDS, levelOf } from './verdict';

// SQS is asked every five seconds at most
const OLD_S = 15;

/** How many messages are in each queue and in its dead-letter queue. */
@Component({
  selector: 'app-queue-panel',
  imports: [Notice],
  templateUrl: './queue-panel.html',
  styleUrl: './panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class QueuePanel {
  readonly queues = input.required<readonly QueueFacts[]>();

  protected readonly texts = texts.operations.queues;
  protected readonly rows = computed(() =>
    this.queues().map((each) => ({
      ...each,
      level: each.deadLetters ? (each.visible > 0 ? 'bad' : '') : levelOf(each.visible, THRESHOLDS.backlog),
      age: each.ageSeconds > OLD_S ? this.texts.age(each.ageSeconds) : '',
    })),
  );
}
