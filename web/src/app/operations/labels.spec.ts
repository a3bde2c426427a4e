import { Replica } from '../api/metrics';
import { texts } from '../texts';
import { Finding } from './findings';
import { findingText, incidentText, replicaName, serviceName, timeOfDay } from './labels';

const ONE: Replica = { service: 'order', number: 1, of: 1, address: '', balanced: false };
const SECOND: Replica = { service: 'notification', number: 2, of: 3, address: '', balanced: false };

describe('findingText', () => {
  it.each<[Finding, string]>([
    [{ kind: 'unreachable', level: 'bad', replica: ONE, failing: [] }, 'Order service can’t be reached.'],
    [{ kind: 'unreachable', level: 'warn', replica: SECOND, failing: [] }, 'Notification service 2 can’t be reached.'],
    [
      { kind: 'not-ready', level: 'bad', replica: ONE, failing: ['database', 'relay'] },
      'Order service is not ready: database, relay.',
    ],
    [{ kind: 'not-ready', level: 'bad', replica: ONE, failing: [] }, 'Order service is not ready.'],
    [{ kind: 'dead-letters', level: 'bad', queue: 'q-dlq', service: 'processing', number: 1 }, '1 message in q-dlq.'],
    [{ kind: 'backlog', level: 'warn', queue: 'q', service: 'processing', number: 1500 }, '1,500 messages wait in q.'],
    [
      { kind: 'depth-stale', level: 'warn', queues: ['p', 'q'], seconds: 95 },
      'The depth of p, q was last updated 2 min ago.',
    ],
    [
      { kind: 'outbox', level: 'bad', service: 'order', pending: 3, seconds: 61 },
      'The outbox of the order service has 3 unsent events, the oldest 61 s old.',
    ],
    [
      { kind: 'late-sagas', level: 'warn', late: 2, seconds: 45 },
      '2 orders are late, the oldest saga has been open for 45 s.',
    ],
    [
      { kind: 'circuit', level: 'warn', service: 'order', client: 'inventory-service' },
      'The circuit breaker of the order service for the inventory service is open.',
    ],
    [{ kind: 'push-lag', level: 'warn', number: 30 }, 'The live push lags 30 notifications behind the feed.'],
    [{ kind: 'refusals', level: 'warn', number: 1 }, '1 push connection was refused in the last minute.'],
    [
      { kind: 'failures', level: 'bad', service: 'order', number: 2 },
      'The order service answered 2 requests with status 500 in the last minute.',
    ],
    [
      { kind: 'lost-lines', level: 'warn', service: 'inventory', number: 9 },
      'The inventory service dropped 9 log lines in the last minute.',
    ],
    [
      { kind: 'dependency', level: 'bad', dependency: 'sqs', away: true, unreached: [] },
      'SQS is unavailable to all services.',
    ],
    [
      {
        kind: 'dependency',
        level: 'warn',
        dependency: 'postgresql',
        away: false,
        unreached: [{ ...SECOND, reason: 'refused' }],
      },
      'PostgreSQL is unavailable to notification service 2.',
    ],
    [
      {
        kind: 'dependency',
        level: 'bad',
        dependency: 'postgresql',
        away: false,
        unreached: [{ ...ONE, reason: 'refused' }],
      },
      'PostgreSQL is unavailable to order service.',
    ],
    [
      { kind: 'unavailable', level: 'bad', service: 'order', number: 24, requests: 24 },
      'The order service answered 24 of 24 requests with 502, 503 or 504 in the last minute.',
    ],
  ])('says %j', (finding, text) => {
    expect(findingText(finding)).toBe(text);
  });
});

describe('incidentText', () => {
  const AWAY: Finding = { kind: 'unreachable', level: 'bad', replica: ONE, failing: [] };
  const [from, until] = [1_000_000, 1_045_000];

  it('says what was, and for how long', () => {
    const span = `${timeOfDay(from)}–${timeOfDay(until)}, 45 s`;
    expect(incidentText({ cause: AWAY, from, until }, from, null)).toBe(`${span}: Order service could not be reached.`);
  });

  it('says what is, and since when', () => {
    const incident = { cause: AWAY, from, until: null };
    const now = 'Order service can’t be reached.';
    expect(incidentText(incident, 0, AWAY)).toBe(`since ${timeOfDay(from)}: ${now}`);
    expect(incidentText(incident, from, AWAY)).toBe(`since before ${timeOfDay(from)}: ${now}`);
  });
});

describe('timeOfDay', () => {
  const at = new Date(2026, 10, 25, 9, 14).getTime();

  it('has the date of another day', () => {
    expect(timeOfDay(at, at + 11 * 3_600_000)).toBe('09:14:00');
    expect(timeOfDay(at, at - 60_000)).toBe('09:14:00');
    expect(timeOfDay(at, at + 72 * 3_600_000)).toBe('25 Nov 2026, 09:14:00');
  });
});

describe('names', () => {
  it('are those of the page for a called service', () => {
    const names: Record<string, string> = texts.common.services;
    const before = names['inventory']!;
    names['inventory'] = 'Inventardienst';
    try {
      const circuit: Finding = { kind: 'circuit', level: 'warn', service: 'order', client: 'inventory-service' };
      expect(findingText(circuit)).toContain('for the Inventardienst is open');
    } finally {
      names['inventory'] = before;
    }
  });

  it('number a replica only when there are several', () => {
    expect(replicaName(ONE)).toBe('Order service');
    expect(replicaName(SECOND)).toBe('Notification service 2');
    expect(serviceName('billing')).toBe('billing');
  });
});

describe('durations', () => {
  it.each([
    [0.0004, '0 ms'],
    [0.0126, '13 ms'],
    [1.26, '1.3 s'],
    [45.4, '45 s'],
    [300, '5 min'],
    [9000, '2.5 h'],
  ])('of %d s is %s', (seconds, text) => {
    expect(texts.operations.duration(seconds)).toBe(text);
  });
});
