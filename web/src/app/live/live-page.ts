import { ChangeDetectionStrategy, Component, inject, signal } from '@angular/core';

import { Session } from '../sign-in/session';
import { texts } from '../texts';
import { ConnectionPanel } from './connection-panel';
import { FeedView } from './feed-view';
import { SideBySide } from './side-by-side';

type View = 'feed' | 'compare';

/** The live feed and its connection. */
@Component({
  selector: 'app-live-page',
  imports: [ConnectionPanel, FeedView, SideBySide],
  templateUrl: './live-page.html',
  styleUrl: './live-page.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class LivePage {
  protected readonly texts = texts.live;
  protected readonly intro = inject(Session).may().seeAll ? texts.live.intro : texts.live.introOwn;
  protected readonly views: readonly { value: View; label: string }[] = [
    { value: 'feed', label: texts.live.views.feed },
    { value: 'compare', label: texts.live.views.compare },
  ];
  protected readonly view = signal<View>('feed');
}
