import { ChangeDetectionStrategy, Component, computed, inject, input, output } from '@angular/core';

import { Saga, Sagas } from '../api/sagas';
import { Act } from '../design/act';
import { ActOutcome } from '../design/act-outcome';
import { ConfirmButton } from '../design/confirm-button';
import { texts } from '../texts';
import { parseTime } from './timestamps';

/** Has a step that failed and waits for its next attempt run at once. */
@Component({
  selector: 'app-saga-retry',
  imports: [ActOutcome, ConfirmButton],
  template: `
    @if (waiting(); as saga) {
      <p>{{ sentence(saga) }}</p>
      <app-confirm-button
        [text]="texts.retry"
        [question]="texts.question(saga.orderId)"
        [yes]="texts.yes"
        [disabled]="act.busy()"
        (confirmed)="retry(saga.orderId)"
      />
    }
    <app-act-outcome [act]="act" />
  `,
  styles: `
    p {
      margin: var(--space-3) 0 var(--space-2);
      overflow-wrap: anywhere;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class SagaRetry {
  readonly sagas = input.required<readonly Saga[]>();
  /** The step is due: the sagas have to be read again. */
  readonly retried = output();

  private readonly client = inject(Sagas);
  protected readonly act = new Act();
  protected readonly texts = texts.operations.late;
  protected readonly waiting = computed(
    () => this.sagas().find((saga) => saga.nextRunAt !== null && saga.lastError !== null) ?? null,
  );

  protected sentence({ lastError, attempts, nextRunAt }: Saga): string {
    const { retrying, next } = texts.orders.journey;
    const at = parseTime(nextRunAt);
    return [retrying(attempts, lastError ?? ''), ...(at === null ? [] : [next(at)])].join(' ');
  }

  protected async retry(orderId: number): Promise<void> {
    const done = await this.act.run('processing', this.client.retry(orderId), () => this.texts.retried(orderId));
    if (done) this.retried.emit();
  }
}
