import { ChangeDetectionStrategy, Component, computed, inject } from '@angular/core';

import { Feed, Protocol } from '../push/feed';
import { LastHeard } from '../push/last-heard';
import { StateDot } from '../push/state-dot';
import { texts } from '../texts';

/** The state, protocol and counters of the shared connection. */
@Component({
  selector: 'app-connection-panel',
  imports: [LastHeard, StateDot],
  templateUrl: './connection-panel.html',
  styleUrl: './connection-panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ConnectionPanel {
  protected readonly feed = inject(Feed);
  protected readonly texts = texts.live;
  protected readonly protocols: readonly { value: Protocol; label: string }[] = [
    { value: 'sse', label: texts.common.protocols.sse },
    { value: 'ws', label: texts.common.protocols.ws },
  ];
  protected readonly stateText = computed(() => texts.live.connection.states[this.feed.state()]);
  protected readonly sharing = computed(() => {
    const { alone, leader, follower } = texts.live.connection;
    if (this.feed.alone()) return alone;
    if (this.feed.leader()) return leader;
    return ['live', 'delayed'].includes(this.feed.state()) ? follower : '–';
  });
  protected readonly counters = computed(() => {
    const counts = this.feed.counts();
    const names = ['received', 'missed', 'reconnects', 'resets', 'malformed'] as const;
    return names.map((name) => ({ name, label: texts.live.counts[name], value: counts[name] }));
  });
}
