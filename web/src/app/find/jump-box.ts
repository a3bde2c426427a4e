import { ChangeDetectionStrategy, Component, inject } from '@angular/core';
import { Router } from '@angular/router';

import { texts } from '../texts';
import { destinationOf } from './destination';

/** Leads to an order by its number, and to the list of orders by anything else; on every page. */
@Component({
  selector: 'app-jump-box',
  template: `
    <form role="search" (submit)="go($event, input)">
      <label class="visually-hidden" for="jump">{{ texts.label }}</label>
      <input
        #input
        id="jump"
        class="field small"
        type="search"
        autocomplete="off"
        spellcheck="false"
        enterkeyhint="go"
        maxlength="80"
        [placeholder]="texts.placeholder"
        [title]="texts.hint"
      />
    </form>
  `,
  styles: `
    :host {
      min-inline-size: 0;
    }
    input {
      inline-size: 100%;
      min-inline-size: 6rem;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class JumpBox {
  private readonly router = inject(Router);
  protected readonly texts = texts.shell.jump;

  protected go(event: Event, input: HTMLInputElement): void {
    event.preventDefault();
    const destination = destinationOf(input.value, texts.common.statuses);
    if (destination === null) return;
    input.value = '';
    void this.router.navigate([...destination.path], { queryParams: destination.query });
  }
}
