import { ChangeDetectionStrategy, Component, computed, input, output } from '@angular/core';

import { OrderLine } from '../api/orders';
import { Problem } from '../api/problem';
import { Notice } from '../design/notice';
import { coversAllViolations } from './line-notes';
import { isTransient, refusalText } from './refusal';
import { TraceId } from './trace-id';

/** Why an order was refused, except for what the lines show, and a retry button. */
@Component({
  selector: 'app-order-refusal',
  imports: [Notice, TraceId],
  template: `
    <app-notice
      kind="error"
      [text]="labels().text"
      [detail]="labels().detail"
      [retryable]="again()"
      (retry)="retry.emit()"
    >
      @if (problem().traceId; as traceId) {
        <app-trace-id [id]="traceId" />
      }
    </app-notice>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrderRefusal {
  readonly problem = input.required<Problem>();
  readonly lines = input.required<readonly OrderLine[]>();
  readonly retry = output();
  protected readonly labels = computed(() =>
    refusalText(this.problem(), coversAllViolations(this.problem(), this.lines())),
  );
  protected readonly again = computed(() => isTransient(this.problem()));
}
