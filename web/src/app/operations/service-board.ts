import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { SERVICES } from '../api/endpoints';
import { texts } from '../texts';
import { ReplicaHealth } from './findings';
import { serviceName } from './labels';

const LEVELS = { unknown: 'unknown', ready: 'good', 'not-ready': 'warn', unreachable: 'bad' } as const;

/** Every service with its replicas: ready, or the failing checks. */
@Component({
  selector: 'app-service-board',
  templateUrl: './service-board.html',
  styleUrl: './service-board.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ServiceBoard {
  readonly replicas = input.required<readonly ReplicaHealth[]>();

  protected readonly texts = texts.operations.services;
  protected readonly services = computed(() =>
    SERVICES.map((service) => ({
      name: serviceName(service),
      replicas: this.replicas()
        .filter((each) => each.replica.service === service)
        .map(viewOf),
    })),
  );
  protected readonly balanced = computed(() => this.replicas().some((each) => each.replica.balanced));
}

function viewOf(health: ReplicaHealth): {
  readonly number: number;
  readonly name: string;
  readonly state: string;
  readonly level: string;
  readonly lines: readonly string[];
} {
  const { replica, state, readiness, error } = health;
  const labels = texts.operations.services;
  const checks = Object.entries(readiness?.checks ?? {});
  const failing = checks.filter(([, outcome]) => outcome !== 'ok');
  const lines = {
    unknown: [],
    ready: [labels.checks(checks.length)],
    'not-ready': failing.map(([name, outcome]) => labels.outcome(name, outcome)),
    unreachable: [error || labels.noAnswer],
  };
  return {
    number: replica.number,
    name: replica.of > 1 ? labels.number(replica.number) : '',
    state: labels.states[state],
    level: LEVELS[state],
    lines: lines[state],
  };
}
