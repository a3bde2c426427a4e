import { ChangeDetectionStrategy, Component, computed, inject, input, output } from '@angular/core';
import { RouterLink } from '@angular/router';

import { Sagas } from '../api/sagas';
import { ConfirmButton } from '../design/confirm-button';
import { Notice } from '../design/notice';
import { Skeleton } from '../design/skeleton';
import { texts } from '../texts';
import { Act } from '../design/act';
import { ActOutcome } from '../design/act-outcome';
import { LateSagasView } from './monitor';
import { timeOfDay } from './labels';

/** The late orders, each with its last error. */
@Component({
  selector: 'app-late-panel',
  imports: [ActOutcome, ConfirmButton, Notice, RouterLink, Skeleton],
  templateUrl: './late-panel.html',
  styleUrls: ['./panel.css', './late-panel.css'],
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class LatePanel {
  readonly view = input.required<LateSagasView>();
  /** The total number of late orders. */
  readonly late = input.required<number>();
  /** Whether the person may have a waiting step run at once. */
  readonly mayAct = input(false);
  readonly retry = output();

  private readonly sagas = inject(Sagas);
  protected readonly act = new Act();
  protected readonly texts = texts.operations.late;
  protected readonly unreachable = texts.common.unreachable(texts.common.services.processing);
  protected readonly orders = computed(() =>
    (this.view().sagas ?? []).map((saga) => ({
      ...saga,
      key: `${saga.orderId.toString()}:${saga.version.toString()}`,
      name: this.texts.order(saga.orderId, saga.version),
      next: saga.nextRunAt === null ? texts.operations.none : timeOfDay(Date.parse(saga.nextRunAt)),
    })),
  );
  protected readonly more = computed(() => {
    const shown = this.orders().length;
    return shown < this.late() ? this.texts.shown(shown, this.late()) : '';
  });

  protected async retrySaga(orderId: number): Promise<void> {
    const done = await this.act.run('processing', this.sagas.retry(orderId), () => this.texts.retried(orderId));
    if (done) this.retry.emit();
  }
}
