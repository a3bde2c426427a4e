import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { Counted, PushStats } from './stats';

const labels = texts.operations.push;

/** The connections of the live push, with aborts and refusals. */
@Component({
  selector: 'app-push-panel',
  imports: [Notice],
  templateUrl: './push-panel.html',
  styleUrl: './panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class PushPanel {
  readonly push = input.required<PushStats | null>();

  protected readonly texts = labels;
  protected readonly rows = computed(() =>
    (this.push()?.connections ?? []).map((each) => ({
      ...each,
      name: labels.protocols[each.protocol] ?? each.protocol,
    })),
  );
  protected readonly counts = computed(() => {
    const push = this.push();
    if (push === null) return [];
    const { count } = texts.operations;
    const rate = push.deliveriesPerSecond;
    return [
      [
        labels.deliveries,
        rate === null ? count(push.deliveries) : `${count(push.deliveries)}, ${labels.perSecond(rate)}`,
      ],
      [labels.lag, push.lag === null ? texts.operations.none : count(push.lag)],
      [labels.resets, count(push.resets)],
      ...reasons(labels.aborts, push.aborts),
      ...reasons(labels.refusals, push.refusals),
    ].map(([name = '', value = '']) => ({ name, value }));
  });
}

function reasons(name: string, counted: readonly Counted[]): string[][] {
  const some = counted.filter((each) => each.total > 0);
  if (some.length === 0) return [[name, labels.never]];
  return some.map((each) => [
    `${name}: ${labels.reasons[each.name] ?? each.name}`,
    labels.counted(each.total, each.lastMinute),
  ]);
}
