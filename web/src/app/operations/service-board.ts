import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { SERVICES } from '../api/endpoints';
import { texts } from '../texts';
import { DependencyHealth, dependencyOf } from './dependencies';
import { replicaName, serviceName, timeOfDay } from './labels';
import { MonitoredReplica, startOf } from './monitor';

/** What of a replica is shown. */
export type BoardReplica = Pick<MonitoredReplica, 'replica' | 'state' | 'readiness' | 'error'> &
  Partial<Pick<MonitoredReplica, 'metrics'>>;

const LEVELS = { unknown: 'unknown', ready: 'good', 'not-ready': 'warn', unreachable: 'bad' } as const;

const DEPENDENCY_LEVELS = { unknown: 'unknown', ready: 'good', partly: 'warn', away: 'bad' } as const;

/** Every service with its replicas: ready, or the failing checks; and what all services depend on. */
@Component({
  selector: 'app-service-board',
  templateUrl: './service-board.html',
  styleUrl: './service-board.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ServiceBoard {
  readonly replicas = input.required<readonly BoardReplica[]>();
  readonly dependencies = input<readonly DependencyHealth[]>([]);
  /** The time of the last poll. */
  readonly at = input<number | null>(null);

  protected readonly texts = texts.operations.services;
  protected readonly services = computed(() =>
    SERVICES.map((service) => ({
      name: serviceName(service),
      replicas: this.replicas()
        .filter((each) => each.replica.service === service)
        .map((each) => viewOf(each, this.at(), away(this.dependencies()))),
    })),
  );
  protected readonly needed = computed(() =>
    this.dependencies().map(({ dependency, state, reachedBy, unreached }) => ({
      name: texts.operations.dependencies[dependency],
      state: this.texts.dependencyStates[state],
      level: DEPENDENCY_LEVELS[state],
      lines: [
        ...unreached.map((each) => this.texts.unreachedBy(replicaName(each), each.reason)),
        ...(reachedBy.length > 0 ? [this.texts.reachedBy(reachedBy.map(serviceName))] : []),
        ...(state === 'unknown' ? [this.texts.noReports] : []),
      ],
    })),
  );
  protected readonly balanced = computed(() => this.replicas().some((each) => each.replica.balanced));
}

function away(dependencies: readonly DependencyHealth[]): ReadonlySet<string> {
  return new Set(dependencies.filter((each) => each.unreached.length > 0).map((each) => each.dependency));
}

function viewOf(
  health: BoardReplica,
  at: number | null,
  missing: ReadonlySet<string>,
): {
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
  const needs = new Set(
    failing.map(([name]) => dependencyOf(name)).filter((each) => each !== null && missing.has(each)),
  );
  const own = failing.filter(([name]) => !needs.has(dependencyOf(name)));
  const lines = {
    unknown: [],
    ready: [labels.checks(checks.length)],
    'not-ready': [
      ...[...needs].map((each) => labels.waitsFor(each === null ? '' : texts.operations.dependencies[each])),
      ...own.map(([name, outcome]) => labels.outcome(name, outcome)),
    ],
    unreachable: [error || labels.noAnswer],
  };
  return {
    number: replica.number,
    name: replica.of > 1 ? labels.number(replica.number) : '',
    state: labels.states[state],
    level: LEVELS[state],
    lines: [...lines[state], ...(state === 'unreachable' ? [] : upLines(health, at))],
  };
}

function upLines({ metrics = null, readiness }: BoardReplica, at: number | null): readonly string[] {
  const labels = texts.operations.services;
  const startedAt = startOf(metrics);
  const version = readiness?.version;
  return [
    ...(startedAt === null || at === null ? [] : [labels.up(Math.max(0, at - startedAt) / 1000, timeOfDay(startedAt))]),
    ...(version === undefined ? [] : [labels.version(version)]),
  ];
}
