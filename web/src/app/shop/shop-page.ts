import { ChangeDetectionStrategy, Component } from '@angular/core';

import { texts } from '../texts';

@Component({
  selector: 'app-shop-page',
  template: `<h1>{{ texts.title }}</h1>`,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ShopPage {
  protected readonly texts = texts.shop;
}
