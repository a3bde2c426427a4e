import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';

import { Connections } from '../api/connections';
import { ConfirmButton } from '../design/confirm-button';
import { texts } from '../texts';
import { Act } from '../design/act';
import { ActOutcome } from '../design/act-outcome';

const MAX_CUSTOMER = 255;

/** Ends the live connections of a customer. */
@Component({
  selector: 'app-connections-panel',
  imports: [ActOutcome, ConfirmButton],
  template: `
    <p class="soft small">{{ texts.hint }}</p>
    <div class="row">
      <label class="small" for="disconnect-customer">{{ texts.customer }}</label>
      <input
        #typed
        id="disconnect-customer"
        class="field code"
        type="text"
        autocomplete="off"
        spellcheck="false"
        [attr.maxlength]="max"
        [value]="customer()"
        (input)="customer.set(typed.value)"
      />
      <app-confirm-button
        [text]="texts.disconnect"
        [question]="texts.question(name())"
        [yes]="texts.yes"
        [danger]="true"
        [disabled]="act.busy() || name() === ''"
        (confirmed)="disconnect()"
      />
    </div>
    <app-act-outcome [act]="act" />
  `,
  styleUrl: './stock-panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ConnectionsPanel {
  private readonly connections = inject(Connections);
  protected readonly texts = texts.operations.connections;
  protected readonly max = MAX_CUSTOMER;
  protected readonly act = new Act();
  protected readonly customer = signal('');
  protected readonly name = computed(() => this.customer().trim());

  protected disconnect(): void {
    const customer = this.name();
    void this.act.run('notification', this.connections.disconnect(customer), ({ replicas, tickets }) =>
      this.texts.done(customer, replicas, tickets),
    );
  }
}
