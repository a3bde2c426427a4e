import {
  ChangeDetectionStrategy,
  Component,
  ElementRef,
  Injector,
  afterNextRender,
  inject,
  input,
  output,
  signal,
  viewChild,
} from '@angular/core';

import { texts } from '../texts';

let created = 0;

/** A button that asks before it acts. */
@Component({
  selector: 'app-confirm-button',
  template: `
    @if (asking()) {
      <span role="group" class="question" [attr.aria-labelledby]="id">
        <span class="small" [id]="id">{{ question() }}</span>
        <button type="button" class="button danger" (click)="confirm()">{{ yes() }}</button>
        <button #no type="button" class="button" (click)="ask(false)">{{ noText }}</button>
      </span>
    } @else {
      <button
        #button
        type="button"
        class="button"
        [class.danger]="danger()"
        [attr.aria-disabled]="disabled() || null"
        (click)="ask(true)"
      >
        {{ text() }}<span class="visually-hidden"> {{ what() }}</span>
      </button>
    }
  `,
  styles: `
    .question {
      display: inline-flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-2);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ConfirmButton {
  readonly text = input.required<string>();
  /** What it acts on, for screen readers. */
  readonly what = input('');
  readonly question = input.required<string>();
  readonly yes = input.required<string>();
  readonly danger = input(false);
  readonly disabled = input(false);
  readonly confirmed = output();

  private readonly injector = inject(Injector);
  private readonly no = viewChild<ElementRef<HTMLElement>>('no');
  private readonly button = viewChild<ElementRef<HTMLElement>>('button');
  protected readonly id = `confirm-${(created += 1).toString()}`;
  protected readonly noText = texts.common.no;
  protected readonly asking = signal(false);

  // a disabled button would lose the focus, which is to stay here after the answer
  protected ask(asking: boolean): void {
    if (asking && this.disabled()) return;
    this.asking.set(asking);
    // keep the keyboard focus at the question, or at the button
    afterNextRender(() => (asking ? this.no() : this.button())?.nativeElement.focus(), { injector: this.injector });
  }

  protected confirm(): void {
    this.ask(false);
    this.confirmed.emit();
  }
}
