import { ChangeDetectionStrategy, Component } from '@angular/core';

import { texts } from '../texts';

/** What each protocol can and can not do. */
@Component({
  selector: 'app-trade-off',
  templateUrl: './trade-off.html',
  styleUrl: './trade-off.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class TradeOff {
  protected readonly title = texts.live.compare.tradeTitle;
  protected readonly texts = texts.live.compare.trade;
  protected readonly names = texts.common.protocols;
}
