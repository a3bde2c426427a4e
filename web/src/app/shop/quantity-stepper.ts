import { ChangeDetectionStrategy, Component, input, output } from '@angular/core';

import { MAX_QUANTITY } from '../api/orders';
import { texts } from '../texts';
import { asQuantity } from './basket';

/** Changes a quantity by steps or by typing. */
@Component({
  selector: 'app-quantity-stepper',
  templateUrl: './quantity-stepper.html',
  styleUrl: './quantity-stepper.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class QuantityStepper {
  /** Of the product. */
  readonly name = input.required<string>();
  readonly quantity = input.required<number>();
  readonly disabled = input(false);
  readonly invalid = input(false);
  /** The id of the element with the error message. */
  readonly describedBy = input<string | null>(null);
  readonly chosen = output<number>();
  protected readonly texts = texts.shop.basket;
  protected readonly max = MAX_QUANTITY;

  protected typed(field: HTMLInputElement): void {
    const quantity = asQuantity(field.valueAsNumber) ?? this.quantity();
    // an unchanged quantity does not update the field
    field.value = quantity.toString();
    this.chosen.emit(quantity);
  }
}
