import { ChangeDetectionStrategy, Component, computed, inject, input } from '@angular/core';
import { rxResource } from '@angular/core/rxjs-interop';

import { Evidence } from '../api/evidence';
import { explanation } from '../api/explanation';
import { Problem } from '../api/problem';
import { Notice } from '../design/notice';
import { texts } from '../texts';
import { Step } from './waterfall';

/** What a service has of a step of the timeline. What an event says is read when this is opened. */
@Component({
  selector: 'app-step-data',
  imports: [Notice],
  template: `
    @if (failed(); as message) {
      <app-notice kind="error" [text]="message" [retryable]="true" (retry)="said.reload()" />
    }
    @if (said.isLoading()) {
      <p class="small soft" role="status">{{ loading }}</p>
    }
    <pre class="code" tabindex="0" role="group" [attr.aria-label]="label">{{ text() }}</pre>
  `,
  styles: `
    :host {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: var(--space-2);
    }
    p {
      margin: 0;
    }
    pre {
      margin: 0;
      padding: var(--space-2);
      border-radius: var(--radius);
      background: var(--surface-sunken);
      color: var(--text);
      overflow-wrap: anywhere;
      white-space: pre-wrap;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class StepData {
  readonly orderId = input.required<number>();
  readonly step = input.required<Step>();
  private readonly evidence = inject(Evidence);
  protected readonly label = texts.orders.waterfall.data;
  protected readonly loading = texts.common.loading;
  /** The same for each read of the timeline, so that an event is read once. */
  private readonly wanted = computed(
    () => {
      const announced = this.step().announced;
      return announced === null ? undefined : { ...announced, orderId: this.orderId() };
    },
    { equal: (one, other) => one?.id === other?.id && one?.orderId === other?.orderId },
  );
  protected readonly said = rxResource({
    params: () => this.wanted(),
    stream: ({ params: { announcer, orderId, id } }) => this.evidence.dataOf(announcer, orderId, id),
  });
  protected readonly failed = computed(() => {
    const error = this.said.error();
    return error === undefined ? '' : explanation(Problem.of(this.step().announced?.announcer ?? 'order', error));
  });
  protected readonly text = computed(() => {
    const data = this.said.hasValue() ? { data: this.said.value() } : {};
    return JSON.stringify({ ...this.step().payload, ...data }, null, 2);
  });
}
