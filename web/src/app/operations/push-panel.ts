import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { Counted, PushFacts } from './facts';

const words = texts.operations.push;

/** Who is connected to the live push, and what became of those that were not served. */
@Component({
  selector: 'app-push-panel',
  imports: [Notice],
  templateUrl: './push-panel.html',
  styleUrl: './panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class PushPanel {
  readonly push = input.required<PushFacts | null>();

  protected readonly texts = words;
  protected readonly rows = computed(() =>
    (this.push()?.connections ?? []).map((each) => ({
      ...each,
      name: words.protocols[each.protocol] ?? each.protocol,
    })),
  );
  protected readonly counts = computed(() => {
    const push = this.push();
    if (push === null) return [];
    const { count } = texts.operations;
    const rate = push.deliveriesPerSecond;
    return [
      [
        words.deliveries,
        rate === null ? count(push.deliveries) : `${count(push.deliveries)}, ${words.perSecond(rate)}`,
      ],
      [words.lag, count(push.lag)],
      [words.resets, count(push.resets)],
      ...reasons(words.aborts, push.aborts),
      ...reasons(words.refusals, push.refusals),
    ].map(([name = '', value = '']) => ({ name, value }));
  });
}

function reasons(name: string, counted: readonly Counted[]): string[][] {
  const some = counted.filter((each) => each.total > 0);
  if (some.length === 0) return [[name, words.never]];
  return some.map((each) => [
    `${name}: ${words.reasons[each.name] ?? each.name}`,
    words.counted(each.total, each.lastMinute),
  ]);
}
