import { ChangeDetectionStrategy, Component } from '@angular/core';

import { texts } from '../texts';

@Component({
  selector: 'app-live-page',
  template: `<h1>{{ texts.title }}</h1>`,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class LivePage {
  protected readonly texts = texts.live;
}
