import { ChangeDetectionStrategy, Component } from '@angular/core';

import { texts } from '../texts';

@Component({
  selector: 'app-order-page',
  template: `<h1>{{ texts.title }}</h1>`,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrderPage {
  protected readonly texts = texts.orders;
}
