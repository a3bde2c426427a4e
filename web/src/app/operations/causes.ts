import { SERVICES, Service } from '../api/endpoints';
import { Dependency, dependencyOf } from './dependencies';
import { Finding, Level } from './findings';

/** One cause, with what follows from it. */
export interface Alarm {
  readonly level: Exclude<Level, 'ok'>;
  readonly cause: Finding;
  /** The findings that are explained by the cause. */
  readonly effects: readonly Finding[];
}

/** The services that each one calls. */
const CALLS: Readonly<Partial<Record<Service, readonly Service[]>>> = {
  order: ['inventory'],
  processing: ['order', 'inventory'],
  notification: ['order'],
};

function callsOf(service: Service): readonly Service[] {
  return CALLS[service] ?? [];
}

/** Groups the findings by cause: what is away explains what its dependants report. Critical ones come first. */
export function alarmsOf(findings: readonly Finding[]): readonly Alarm[] {
  const effects = new Map<Finding, Finding[]>(
    findings.filter((each) => causeOf(each, findings) === null).map((each) => [each, []]),
  );
  for (const finding of findings) if (!effects.has(finding)) effects.get(rootOf(finding, findings))?.push(finding);
  return [...effects]
    .map(([cause, explained]) => ({ level: worst([cause, ...explained]), cause, effects: explained }))
    .sort((one, other) => Number(other.level === 'bad') - Number(one.level === 'bad'));
}

function worst(findings: readonly Finding[]): Exclude<Level, 'ok'> {
  return findings.some((each) => each.level === 'bad') ? 'bad' : 'warn';
}

function rootOf(finding: Finding, all: readonly Finding[]): Finding {
  const cause = causeOf(finding, all);
  return cause === null ? finding : rootOf(cause, all);
}

/** What explains a finding; null when nothing does. The relation has no circle: dependencies have no cause. */
function causeOf(finding: Finding, all: readonly Finding[]): Finding | null {
  const away = (dependency: Dependency): Finding | null =>
    all.find((each) => each.kind === 'dependency' && each.dependency === dependency) ?? null;
  const down = (services: readonly Service[]): Finding | null =>
    all.find((each) => isDown(each) && services.includes(each.replica.service)) ?? null;
  switch (finding.kind) {
    case 'not-ready': {
      const dependency = finding.failing.map(dependencyOf).find((each) => each !== null && away(each) !== null);
      return dependency ? away(dependency) : null;
    }
    case 'depth-stale':
      return away('sqs');
    case 'outbox':
      return away('sqs') ?? away('postgresql');
    case 'backlog':
      return down([finding.service]) ?? away('postgresql') ?? away('sqs') ?? down(callsOf(finding.service));
    case 'late-sagas':
      return away('postgresql') ?? away('sqs') ?? down(['processing', ...callsOf('processing')]);
    case 'push-lag':
    case 'refusals':
      return away('postgresql') ?? down(['notification']);
    case 'circuit':
      return down(SERVICES.filter((each) => `${each}-service` === finding.client)) ?? away('postgresql');
    case 'unavailable':
      // without SQS orders are taken, and stock is; dead letters are away
      return away('postgresql') ?? down(callsOf(finding.service)) ?? (receives(finding.service) ? away('sqs') : null);
    default:
      return null;
  }
}

function receives(service: Service): boolean {
  return service === 'processing' || service === 'notification';
}

function isDown(finding: Finding): finding is Finding & { readonly kind: 'unreachable' | 'not-ready' } {
  return (finding.kind === 'unreachable' || finding.kind === 'not-ready') && finding.level === 'bad';
}
