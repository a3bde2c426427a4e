import { ChangeDetectionStrategy, Component, inject } from '@angular/core';

import { Demo } from '../api/demo';
import { ConfirmButton } from '../design/confirm-button';
import { texts } from '../texts';
import { Act } from '../design/act';
import { ActOutcome } from '../design/act-outcome';

/** Breaks the demo with a click, so that a visitor sees it heal. */
@Component({
  selector: 'app-demo-panel',
  imports: [ActOutcome, ConfirmButton],
  template: `
    <p class="soft small">{{ texts.hint }}</p>
    <div class="row">
      <button type="button" class="button" [disabled]="act.busy()" (click)="place()">{{ texts.place }}</button>
      <app-confirm-button
        [text]="texts.freeze"
        [question]="texts.freezeQuestion"
        [yes]="texts.freezeYes"
        [disabled]="act.busy()"
        (confirmed)="freeze()"
      />
      <app-confirm-button
        [text]="texts.kill"
        [question]="texts.killQuestion"
        [yes]="texts.killYes"
        [danger]="true"
        [disabled]="act.busy()"
        (confirmed)="kill()"
      />
    </div>
    <app-act-outcome [act]="act" />
  `,
  styleUrl: './stock-panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class DemoPanel {
  private readonly demo = inject(Demo);
  protected readonly texts = texts.operations.demo;
  protected readonly act = new Act();

  protected place(): void {
    void this.act.run('order', this.demo.placeOrders(), ({ placed, refused }) => this.texts.placed(placed, refused));
  }

  protected freeze(): void {
    void this.act.run('inventory', this.demo.freezeInventory(), ({ seconds }) => this.texts.frozen(seconds));
  }

  protected kill(): void {
    void this.act.run('processing', this.demo.killProcessing(), ({ killed }) => this.texts.killed(killed));
  }
}
