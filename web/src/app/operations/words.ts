import { Service } from '../api/endpoints';
import { Replica } from '../api/metrics';
import { texts } from '../texts';
import { Finding } from './verdict';

const words = texts.operations.findings;

/** A replica by its name, with its number when there are several. */
export function replicaName(replica: Replica): string {
  return texts.operations.replica(texts.common.services[replica.service], replica.number, replica.of);
}

export function serviceName(service: string): string {
  return service in texts.common.services ? texts.common.services[service as Service] : service;
}

/** A finding as a sentence. */
export function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'unreachable':
      return words.unreachable(replicaName(finding.replica));
    case 'not-ready':
      return words.notReady(replicaName(finding.replica), finding.failing);
    case 'dead-letters':
      return words.deadLetters(finding.queue, finding.number);
    case 'backlog':
      return words.backlog(finding.queue, finding.number);
    case 'depth-stale':
      return words.depthStale(finding.queues, finding.seconds);
    case 'outbox':
      return words.outbox(serviceName(finding.service), finding.pending, finding.seconds);
    case 'late-sagas':
      return words.lateSagas(finding.late, finding.seconds);
    case 'circuit':
      return words.circuit(serviceName(finding.service), finding.client.replace('-', ' '));
    case 'push-lag':
      return words.pushLag(finding.number);
    case 'refusals':
      return words.refusals(finding.number);
    case 'failures':
      return words.failures(serviceName(finding.service), finding.number);
    case 'lost-lines':
      return words.lostLines(serviceName(finding.service), finding.number);
  }
}

/** What a finding is about, whatever its numbers are. */
export function subjectOf(finding: Finding): string {
  const { kind, level } = finding;
  const subject = 'replica' in finding ? replicaName(finding.replica) : 'queue' in finding ? finding.queue : '';
  const service = 'service' in finding ? finding.service : '';
  return [kind, level, subject, service].join(' ');
}

/** The time of day, by this machine's clock. */
export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}
