import { ChangeDetectionStrategy, Component, computed, input, output } from '@angular/core';

import { OrderLine } from '../api/orders';
import { Problem } from '../api/problem';
import { Notice } from '../design/notice';
import { isSaidAtLines } from './line-notes';
import { isPassing, sentences } from './refusal';
import { TraceId } from './trace-id';

/** Why an order was not taken, as far as the lines do not say it, and what can be done. */
@Component({
  selector: 'app-order-refusal',
  imports: [Notice, TraceId],
  template: `
    <app-notice kind="error" [text]="said().text" [detail]="said().detail" [retryable]="again()" (retry)="retry.emit()">
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
  protected readonly said = computed(() => sentences(this.problem(), isSaidAtLines(this.problem(), this.lines())));
  protected readonly again = computed(() => isPassing(this.problem()));
}
