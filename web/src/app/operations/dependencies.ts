import { Service } from '../api/endpoints';
import type { ReplicaHealth } from './findings';

/** What the services need and do not run themselves. */
export type Dependency = 'postgresql' | 'sqs';

/** A replica that does not reach a dependency. */
export interface Unreached {
  readonly service: Service;
  readonly number: number;
  readonly of: number;
  readonly reason: string;
}

/** A dependency, as far as the readiness reports of the replicas tell. */
export interface DependencyHealth {
  readonly dependency: Dependency;
  /**
   * - unknown: no replica tells
   * - partly: one replica reaches it and another does not
   */
  readonly state: 'unknown' | 'ready' | 'partly' | 'away';
  /** The services of which a replica reaches it. */
  readonly reachedBy: readonly Service[];
  readonly unreached: readonly Unreached[];
}

const DEPENDENCIES: readonly Dependency[] = ['postgresql', 'sqs'];
const OK = 'ok';

/** The dependency that a readiness check asks; null for a task of the process itself. */
export function dependencyOf(check: string): Dependency | null {
  if (check === 'database') return 'postgresql';
  return check.endsWith('queue') ? 'sqs' : null;
}

/** The state of each dependency. */
export function dependenciesOf(replicas: readonly ReplicaHealth[]): readonly DependencyHealth[] {
  return DEPENDENCIES.map((dependency) => {
    const reachedBy = new Set<Service>();
    const unreached: Unreached[] = [];
    for (const { replica, state, readiness } of replicas) {
      if (readiness === null || (state !== 'ready' && state !== 'not-ready')) continue;
      const outcomes = Object.entries(readiness.checks).filter(([name]) => dependencyOf(name) === dependency);
      const failed = outcomes.find(([, outcome]) => outcome !== OK);
      const { service, number, of } = replica;
      if (failed !== undefined) unreached.push({ service, number, of, reason: failed[1] });
      else if (outcomes.length > 0) reachedBy.add(service);
    }
    return { dependency, state: stateOf(reachedBy.size, unreached.length), reachedBy: [...reachedBy], unreached };
  });
}

function stateOf(reached: number, unreached: number): DependencyHealth['state'] {
  if (unreached === 0) return reached === 0 ? 'unknown' : 'ready';
  return reached === 0 ? 'away' : 'partly';
}
