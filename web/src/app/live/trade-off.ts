import { ChangeDetectionStrategy, Component } from '@angular/core';

import { texts } from '../texts';

/** The trade-offs between the protocols. */
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
