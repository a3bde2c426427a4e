import { ChangeDetectionStrategy, Component } from '@angular/core';

import { texts } from '../texts';

@Component({
  selector: 'app-operations-page',
  template: `<h1>{{ texts.title }}</h1>`,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OperationsPage {
  protected readonly texts = texts.operations;
}
