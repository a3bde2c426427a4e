import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { serviceName } from './labels';
import { Counted, RefusalStats } from './stats';
import { Traffic } from './traffic';

const labels = texts.operations.traffic;

/** The requests of the last minute by service and status, and refusals by reason. */
@Component({
  selector: 'app-traffic-panel',
  imports: [Notice],
  templateUrl: './traffic-panel.html',
  styleUrl: './panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class TrafficPanel {
  readonly traffic = input.required<readonly Traffic[]>();
  readonly refusals = input.required<RefusalStats>();

  protected readonly texts = labels;
  protected readonly none = texts.operations.none;
  protected readonly rows = computed(() =>
    this.traffic().map((each) => ({
      ...each,
      name: serviceName(each.service),
      p95: each.p95Seconds === null ? this.none : texts.operations.duration(each.p95Seconds),
    })),
  );
  protected readonly statuses = computed(() =>
    this.traffic().flatMap(({ service, statuses }) =>
      statuses.map((each) => ({
        key: `${service} ${each.name}`,
        service: serviceName(service),
        status: each.name,
        number: each.lastMinute,
        level: each.name.startsWith('5') ? 'bad' : each.name === '429' ? 'warn' : '',
      })),
    ),
  );
  protected readonly reasons = computed(() => {
    const { orders, problems, limits, cut } = this.refusals();
    return [
      ...named(labels.orders, orders),
      ...named(labels.problems, problems),
      ...named(labels.limits, limits),
      ...named(labels.cut, cut),
    ];
  });
}

function named(
  nameOf: (reason: string) => string,
  counts: readonly Counted[],
): readonly { readonly name: string; readonly value: string }[] {
  return counts.map(({ name, total, lastMinute }) => ({
    name: nameOf(labels.reasons[name] ?? name),
    value: texts.operations.push.counted(total, lastMinute),
  }));
}
