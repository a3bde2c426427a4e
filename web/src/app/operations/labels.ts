import { Service } from '../api/endpoints';
import { Replica } from '../api/metrics';
import { texts } from '../texts';
import { Finding } from './findings';

const labels = texts.operations.findings;

/** The name of a replica, with its number when there are several. */
export function replicaName(replica: Replica): string {
  return texts.operations.replica(texts.common.services[replica.service], replica.number, replica.of);
}

export function serviceName(service: string): string {
  return service in texts.common.services ? texts.common.services[service as Service] : service;
}

/** The text of a finding. */
export function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'unreachable':
      return labels.unreachable(replicaName(finding.replica));
    case 'not-ready':
      return labels.notReady(replicaName(finding.replica), finding.failing);
    case 'dead-letters':
      return labels.deadLetters(finding.queue, finding.number);
    case 'backlog':
      return labels.backlog(finding.queue, finding.number);
    case 'depth-stale':
      return labels.depthStale(finding.queues, finding.seconds);
    case 'outbox':
      return labels.outbox(serviceName(finding.service), finding.pending, finding.seconds);
    case 'late-sagas':
      return labels.lateSagas(finding.late, finding.seconds);
    case 'circuit':
      return labels.circuit(serviceName(finding.service), finding.client.replace('-', ' '));
    case 'push-lag':
      return labels.pushLag(finding.number);
    case 'refusals':
      return labels.refusals(finding.number);
    case 'failures':
      return labels.failures(serviceName(finding.service), finding.number);
    case 'lost-lines':
      return labels.lostLines(serviceName(finding.service), finding.number);
  }
}

/** The subject of a finding, without its values. */
export function subjectOf(finding: Finding): string {
  const { kind, level } = finding;
  const subject = 'replica' in finding ? replicaName(finding.replica) : 'queue' in finding ? finding.queue : '';
  const service = 'service' in finding ? finding.service : '';
  return [kind, level, subject, service].join(' ');
}

/** The local time of day. */
export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}
