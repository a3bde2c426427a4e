import { ChangeDetectionStrategy, Component, computed, input, linkedSignal, output } from '@angular/core';

import { texts } from '../texts';
import { Criteria, CriterionName, STATUSES, invalid } from './criteria';

interface Field {
  readonly name: CriterionName;
  readonly label: string;
  readonly type: 'search' | 'datetime-local';
  readonly maxLength: number;
}

/** Whose controls offer values, and show no other. */
const CHOSEN: readonly CriterionName[] = ['status', 'from', 'to'];

const labels = texts.orders.list.criteria;

/** The filters of the list of orders: the status at once, the others with the form. */
@Component({
  selector: 'app-criteria-form',
  template: `
    <form role="search" [attr.aria-label]="texts.title" novalidate (submit)="submit($event)">
      <label>
        <span class="small">{{ texts.status }}</span>
        <select
          #choice
          class="field"
          [attr.aria-invalid]="unknown('status') !== ''"
          [attr.aria-describedby]="unknown('status') ? 'unknown-status' : null"
          (change)="choose(choice.value)"
        >
          <option value="" [selected]="typed().status === ''">{{ texts.all }}</option>
          @for (status of statuses; track status) {
            <option [value]="status" [selected]="typed().status === status">{{ statusTexts[status] }}</option>
          }
        </select>
        @if (unknown('status'); as value) {
          <span class="small wrong" id="unknown-status">{{ texts.unknown(value) }}</span>
        }
      </label>
      @for (field of fields(); track field.name) {
        <label>
          <span class="small">{{ field.label }}</span>
          <input
            #entry
            class="field"
            autocomplete="off"
            spellcheck="false"
            [type]="field.type"
            [class.code]="field.name === 'trace'"
            [attr.maxlength]="field.maxLength"
            [attr.inputmode]="field.name === 'number' ? 'numeric' : null"
            [attr.aria-invalid]="isWrong(field.name) || unknown(field.name) !== ''"
            [attr.aria-describedby]="isWrong(field.name) || unknown(field.name) ? 'wrong-' + field.name : null"
            [value]="typed()[field.name]"
            (input)="set(field.name, entry.value)"
          />
          @if (unknown(field.name); as value) {
            <span class="small wrong" [id]="'wrong-' + field.name">{{ texts.unknown(value) }}</span>
          } @else if (isWrong(field.name)) {
            <span class="small wrong" [id]="'wrong-' + field.name">{{ texts.wrong[field.name] }}</span>
          }
        </label>
      }
      <div class="buttons">
        <button type="submit" class="button primary" [disabled]="wrong().length > 0">{{ texts.find }}</button>
        @if (any()) {
          <button type="button" class="button" (click)="clear.emit()">{{ texts.clear }}</button>
        }
      </div>
    </form>
  `,
  styles: `
    form {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(min(12rem, 100%), 1fr));
      gap: var(--space-2) var(--space-3);
      align-items: start;
    }
    label {
      display: grid;
      gap: var(--space-1);
      min-inline-size: 0;
    }
    .field {
      inline-size: 100%;
      min-inline-size: 0;
    }
    .wrong {
      color: var(--bad);
    }
    .buttons {
      display: flex;
      flex-wrap: wrap;
      align-self: end;
      gap: var(--space-2);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class CriteriaForm {
  readonly criteria = input.required<Criteria>();
  /** Whether the person sees the orders of all customers. */
  readonly seesAll = input.required<boolean>();
  readonly find = output<Criteria>();
  readonly clear = output();

  protected readonly texts = labels;
  protected readonly statuses = STATUSES;
  protected readonly statusTexts = texts.common.statuses;
  /** A control of choice can't show what it does not know: nothing is chosen then, and the value is named. */
  private readonly unshown = computed(() => invalid(this.criteria()).filter((name) => CHOSEN.includes(name)));
  protected readonly typed = linkedSignal(() => ({
    ...this.criteria(),
    ...Object.fromEntries(this.unshown().map((name) => [name, ''])),
  }));
  protected readonly wrong = computed(() => invalid(this.typed()));
  protected readonly any = computed(
    () => Object.values(this.typed()).some((each) => each !== '') || this.unshown().length > 0,
  );
  protected readonly fields = computed<readonly Field[]>(() => [
    field('number', 15),
    field('product', 64),
    ...(this.seesAll() ? [field('customer', 255)] : []),
    field('trace', 60),
    field('from', null),
    field('to', null),
  ]);

  protected set(name: CriterionName, value: string): void {
    this.typed.update((typed) => ({ ...typed, [name]: value.trim() }));
  }

  protected isWrong(name: CriterionName): boolean {
    return this.wrong().includes(name);
  }

  /** The value of the URL that is none of this field, until another is chosen. */
  protected unknown(name: CriterionName): string {
    return this.unshown().includes(name) && this.typed()[name] === '' ? this.criteria()[name] : '';
  }

  protected choose(status: string): void {
    this.set('status', status);
    this.find.emit(this.typed());
  }

  protected submit(event: Event): void {
    event.preventDefault();
    if (this.wrong().length === 0) this.find.emit(this.typed());
  }
}

function field(name: CriterionName, maxLength: number | null): Field {
  return {
    name,
    label: labels[name],
    type: maxLength === null ? 'datetime-local' : 'search',
    maxLength: maxLength ?? 30,
  };
}
