import { ChangeDetectionStrategy, Component, computed, effect, inject, input, untracked } from '@angular/core';
import { RouterLink } from '@angular/router';

import { explanation } from '../api/explanation';
import { Notice } from '../design/notice';
import { Skeleton } from '../design/skeleton';
import { StatusBadge } from '../design/status-badge';
import { Session } from '../sign-in/session';
import { texts } from '../texts';
import { duration } from './durations';
import { JourneyView } from './journey-view';
import { elapsed, parseTime } from './timestamps';
import { OrderEditor } from './order-editor';
import { OrderTrace } from './order-trace';
import { OrderWatch } from './order-watch';
import { SagaRetry } from './saga-retry';
import { WaterfallView } from './waterfall-view';

const NOT_FOUND = 404;

/** One order: its state, an editor, and its sequence through the system. */
@Component({
  selector: 'app-order-page',
  imports: [JourneyView, Notice, OrderEditor, OrderTrace, RouterLink, SagaRetry, Skeleton, StatusBadge, WaterfallView],
  templateUrl: './order-page.html',
  styleUrl: './order-page.css',
  providers: [OrderWatch],
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrderPage {
  /** A parameter of the route. */
  readonly id = input.required<string>();
  protected readonly texts = texts.orders;
  protected readonly watch = inject(OrderWatch);
  protected readonly may = inject(Session).may;
  protected readonly valid = computed(() => /^[1-9]\d{0,14}$/.test(this.id()));
  protected readonly missing = computed(() => !this.valid() || this.watch.missing());
  protected readonly order = computed(() => (this.missing() ? null : (this.watch.tagged()?.order ?? null)));
  protected readonly unreachable = computed(() => {
    const problems = this.watch.problems().filter((each) => each.unreachable);
    const services = [...new Set(problems.map((problem) => texts.common.services[problem.service]))];
    return services.length === 0 ? '' : this.texts.order.unreachable(services.join(this.texts.order.and));
  });
  protected readonly refused = computed(() => {
    const refused = this.watch.problems().find((each) => !each.unreachable && each.status !== NOT_FOUND);
    return refused === undefined ? '' : explanation(refused);
  });
  /** Whether a service knows the order. */
  protected readonly known = computed(() => {
    const { origin, phases } = this.watch.journey();
    return this.order() !== null || origin !== null || phases.some((phase) => phase.traceId !== null);
  });
  protected readonly summary = computed(() => {
    const order = this.order();
    if (order === null) return '';
    const { placed, version } = this.texts.order;
    const created = parseTime(order.createdAt) ?? 0;
    const parts = [placed(this.texts.at(created))];
    const took = elapsed(created, parseTime(order.updatedAt));
    if (order.status !== 'CREATED' && took !== null) {
      const ended = { CLOSED: 'closed', FAILED: 'failed', CANCELLED: 'cancelled' } as const;
      parts.push(this.texts.order[ended[order.status]](duration(took)));
    }
    if (order.version > 1) parts.push(version(order.version));
    return parts.join(', ');
  });

  constructor() {
    effect(() => {
      const id = this.valid() ? Number(this.id()) : 0;
      untracked(() => this.watch.watch(id));
    });
  }
}
