import { Replica } from '../api/metrics';
import { alarmsOf } from './causes';
import { Finding } from './findings';

function replica(service: Replica['service']): Replica {
  return { service, number: 1, of: 1, address: `http://${service}`, balanced: false };
}

const DATABASE: Finding = { level: 'bad', kind: 'dependency', dependency: 'postgresql', away: true, unreached: [] };
const SQS: Finding = { level: 'bad', kind: 'dependency', dependency: 'sqs', away: true, unreached: [] };

function notReady(service: Replica['service'], ...failing: readonly string[]): Finding {
  return { level: 'bad', kind: 'not-ready', replica: replica(service), failing };
}

function away(service: Replica['service']): Finding {
  return { level: 'bad', kind: 'unreachable', replica: replica(service), failing: [] };
}

function circuit(client: string): Finding {
  return { level: 'warn', kind: 'circuit', service: 'order', client };
}

const UNAVAILABLE: Finding = { level: 'bad', kind: 'unavailable', service: 'order', number: 5, requests: 9 };
const STALE: Finding = { level: 'warn', kind: 'depth-stale', queues: ['q'], seconds: 30 };
const LATE: Finding = { level: 'warn', kind: 'late-sagas', late: 2, seconds: 40 };
const DEAD: Finding = { level: 'bad', kind: 'dead-letters', queue: 'q-dlq', service: 'processing', number: 1 };

describe('alarmsOf', () => {
  it('has one alarm for a database that is away, whoever suffers', () => {
    const effects = [notReady('order', 'database'), notReady('inventory', 'database'), circuit('inventory-service')];
    expect(alarmsOf([DATABASE, ...effects, LATE, UNAVAILABLE])).toEqual([
      { level: 'bad', cause: DATABASE, effects: [...effects, LATE, UNAVAILABLE] },
    ]);
  });

  it('explains by SQS what waits for it', () => {
    const outbox: Finding = { level: 'bad', kind: 'outbox', service: 'order', pending: 3, seconds: 99 };
    const effects = [notReady('order', 'processing-queue'), outbox, STALE];
    expect(alarmsOf([SQS, ...effects])).toEqual([{ level: 'bad', cause: SQS, effects }]);
  });

  it('explains refused requests by the service that is called', () => {
    const effects = [circuit('inventory-service'), UNAVAILABLE];
    expect(alarmsOf([away('inventory'), ...effects])).toEqual([{ level: 'bad', cause: away('inventory'), effects }]);
    expect(alarmsOf([away('notification'), ...effects]).length).toBe(3);
  });

  it('does not explain a failed task of a process, nor dead letters, by a dependency', () => {
    expect(alarmsOf([DATABASE, notReady('order', 'relay'), DEAD]).map((each) => each.effects)).toEqual([[], [], []]);
  });

  it('explains by SQS what is refused without it', () => {
    const letters: Finding = { ...UNAVAILABLE, service: 'processing' };
    expect(alarmsOf([SQS, letters])).toEqual([{ level: 'bad', cause: SQS, effects: [letters] }]);
    expect(alarmsOf([SQS, UNAVAILABLE]).length).toBe(2);
  });

  it('has the level of the worst effect, critical ones first', () => {
    const part: Finding = { ...DATABASE, level: 'warn' };
    expect(alarmsOf([LATE, DEAD]).map((each) => each.level)).toEqual(['bad', 'warn']);
    expect(alarmsOf([part, UNAVAILABLE]).map((each) => each.level)).toEqual(['bad']);
  });

  it('loses no finding', () => {
    const all = [
      DATABASE,
      SQS,
      away('order'),
      notReady('inventory', 'database', 'relay'),
      circuit('issuer'),
      STALE,
      DEAD,
    ];
    const kept = alarmsOf(all).flatMap(({ cause, effects }) => [cause, ...effects]);
    expect(new Set(kept)).toEqual(new Set(all));
    expect(kept.length).toBe(all.length);
  });
});
