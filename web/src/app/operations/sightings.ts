import { Service } from '../api/endpoints';
import { Replica } from '../api/metrics';
import type { Finding } from './findings';

/** When a replica was looked at last; milliseconds since 1970, null before. */
export interface Sighted {
  readonly replica: Replica;
  /** When its readiness report came, or the request began that failed. */
  readonly checkedAt: number | null;
  /** When its metrics came. */
  readonly scrapedAt: number | null;
}

/** The services whose metrics have what a finding without a service says. */
const SOURCES: Readonly<Partial<Record<Finding['kind'], readonly string[]>>> = {
  'late-sagas': ['processing'],
  'depth-stale': ['processing', 'notification'],
  'push-lag': ['notification'],
  refusals: ['notification'],
};

/** When the replicas were looked at, from *since* on, whose answers a finding depends on. */
export function sightingsOf(finding: Finding, replicas: readonly Sighted[], since: number): readonly number[] {
  return replicas
    .map((each) =>
      isChecked(finding, each.replica) ? each.checkedAt : isSource(finding, each) ? each.scrapedAt : null,
    )
    .filter((at) => at !== null)
    .filter((at) => at >= since);
}

function isChecked(finding: Finding, { service, number, address }: Replica): boolean {
  if (finding.kind === 'dependency') {
    return finding.unreached.some((each) => each.service === service && each.number === number);
  }
  return 'replica' in finding && finding.replica.service === service && finding.replica.address === address;
}

function isSource(finding: Finding, { replica }: { readonly replica: { readonly service: Service } }): boolean {
  const services = 'service' in finding ? [finding.service] : (SOURCES[finding.kind] ?? []);
  return services.includes(replica.service);
}
