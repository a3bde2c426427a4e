import { Service } from '../api/endpoints';
import { Replica } from '../api/metrics';
import { texts } from '../texts';
import { locale } from '../texts/language';
import { Alarm } from './causes';
import { Finding } from './findings';
import { Incident, Start } from './incidents';

const labels = texts.operations.findings;
const HALF_DAY_MS = 12 * 3_600_000;

/** The name of a replica, with its number when there are several, as a sentence begins with it. */
export function replicaName(replica: Pick<Replica, 'service' | 'number' | 'of'>): string {
  return texts.operations.capital(nameOf(replica));
}

function nameOf({ service, number, of }: Pick<Replica, 'service' | 'number' | 'of'>): string {
  return of > 1 ? `${serviceName(service)} ${number.toString()}` : serviceName(service);
}

export function serviceName(service: string): string {
  return service in texts.common.services ? texts.common.services[service as Service] : service;
}

/** The text of a finding. */
export function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'dependency': {
      const name = texts.operations.dependencies[finding.dependency];
      return finding.away ? labels.away(name) : labels.cut(name, finding.unreached.map(nameOf));
    }
    case 'unavailable':
      return labels.unavailable(serviceName(finding.service), finding.number, finding.requests);
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
      return labels.circuit(serviceName(finding.service), clientName(finding.client));
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

/** The text of a finding that is over. */
function pastText(finding: Finding): string {
  const past = texts.operations.past;
  switch (finding.kind) {
    case 'dependency': {
      const name = texts.operations.dependencies[finding.dependency];
      return finding.away ? past.away(name) : past.cut(name, finding.unreached.map(nameOf));
    }
    case 'unreachable':
      return past.unreachable(replicaName(finding.replica));
    case 'not-ready':
      return past.notReady(replicaName(finding.replica), finding.failing);
    case 'dead-letters':
      return past.deadLetters(finding.queue);
    case 'backlog':
      return past.backlog(finding.queue);
    case 'depth-stale':
      return past.depthStale;
    case 'outbox':
      return past.outbox(serviceName(finding.service));
    case 'late-sagas':
      return past.lateSagas;
    case 'circuit':
      return past.circuit(serviceName(finding.service), clientName(finding.client));
    case 'push-lag':
      return past.pushLag;
    case 'refusals':
      return past.refusals;
    case 'failures':
      return past.failures(serviceName(finding.service));
    case 'unavailable':
      return past.unavailable(serviceName(finding.service));
    case 'lost-lines':
      return past.lostLines(serviceName(finding.service));
  }
}

/** Who suffers from an alarm, each once. */
export function affectedBy({ effects }: Alarm): readonly string[] {
  return [...new Set(effects.map(affected))];
}

function affected(finding: Finding): string {
  const names = texts.operations.effects;
  if (finding.kind === 'late-sagas') return names.lateSagas(finding.late);
  if (finding.kind === 'push-lag' || finding.kind === 'refusals') return names.push;
  if (finding.kind === 'backlog') return names.backlog(finding.queue);
  if (finding.kind === 'depth-stale') return finding.queues.join(', ');
  if ('replica' in finding) return serviceName(finding.replica.service);
  return 'service' in finding ? serviceName(finding.service) : '';
}

/**
 * When an incident was, and what; a running one by what it is *now*, if that is known.
 *
 * The page watches *since*: what was there at that time began before.
 */
export function incidentText(incident: Incident, since: number, now: Finding | null = null): string {
  const { from, until, cause } = incident;
  const labels = texts.operations.incidents;
  const lasts = from === since ? labels.lastsBefore : labels.lasts;
  const span =
    until === null ? lasts(timeOfDay(from)) : labels.span(timeOfDay(from), timeOfDay(until), (until - from) / 1000);
  return labels.was(span, until !== null || now === null ? pastText(cause) : findingText(now));
}

export function restartText({ replica, at }: Start): string {
  return texts.operations.incidents.restartedAt(replicaName(replica), timeOfDay(at));
}

function clientName(client: string): string {
  return serviceName(client.replace(/-service$/, ''));
}

/** The local time of day, with its date from half a day before *now* on. */
export function timeOfDay(at: number, now = Date.now()): string {
  return now - at < HALF_DAY_MS ? new Date(at).toLocaleTimeString(locale) : texts.orders.at(at);
}
