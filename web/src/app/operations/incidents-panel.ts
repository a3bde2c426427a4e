import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { texts } from '../texts';
import { Alarm } from './causes';
import { Log, incidentsAfter, restartsAfter, subjectOf } from './incidents';
import { incidentText, restartText } from './labels';

/** What was down from when to when, and what was restarted; the newest first. */
@Component({
  selector: 'app-incidents-panel',
  template: `
    <p class="small soft">{{ texts.note }}</p>
    @if (lines().length > 0) {
      <ul>
        @for (line of lines(); track line.key) {
          <li [class]="line.level">{{ line.text }}</li>
        }
      </ul>
    } @else {
      <p>{{ texts.none }}</p>
    }
  `,
  styles: `
    p {
      margin: 0 0 var(--space-2);
    }
    ul {
      display: grid;
      gap: var(--space-1);
      max-block-size: 20rem;
      margin: 0;
      padding-inline-start: var(--space-4);
      overflow-y: auto;
    }
    li {
      overflow-wrap: anywhere;
      font-variant-numeric: tabular-nums;
    }
    .bad::marker {
      color: var(--bad);
    }
    .warn::marker {
      color: var(--warn);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class IncidentsPanel {
  readonly log = input.required<Log | null>();
  /** What of it is now. */
  readonly alarms = input.required<readonly Alarm[]>();

  protected readonly texts = texts.operations.incidents;
  protected readonly lines = computed(() => {
    const log = this.log();
    if (log === null) return [];
    const now = new Map(this.alarms().map(({ cause }) => [subjectOf(cause), cause]));
    const incidents = incidentsAfter(log, 0).map((incident) => {
      const subject = subjectOf(incident.cause);
      return {
        key: `${incident.from.toString()} ${subject}`,
        at: incident.from,
        level: incident.cause.level,
        text: incidentText(incident, log.since, now.get(subject)),
      };
    });
    const restarts = restartsAfter(log, 0).map((start) => ({
      key: `${start.at.toString()} ${start.replica.address}`,
      at: start.at,
      level: 'warn',
      text: restartText(start),
    }));
    return [...incidents, ...restarts].sort((one, other) => other.at - one.at);
  });
}
