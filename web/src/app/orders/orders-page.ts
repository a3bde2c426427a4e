import { ChangeDetectionStrategy, Component } from '@angular/core';

import { texts } from '../texts';

@Component({
  selector: 'app-orders-page',
  template: `<h1>{{ texts.title }}</h1>`,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrdersPage {
  protected readonly texts = texts.orders;
}
