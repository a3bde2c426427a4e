import { Log } from './incidents';
import { marksOf } from './marks';

const REPLICA = { service: 'order', number: 1, of: 1, address: 'http://o', balanced: false } as const;
const MINUTE = 60_000;

describe('marksOf', () => {
  it('places incidents and restarts by minutes before now, critical ones last', () => {
    const log: Log = {
      since: 0,
      at: 10 * MINUTE,
      incidents: [
        { cause: { level: 'bad', kind: 'failures', service: 'order', number: 1 }, from: 4 * MINUTE, until: 6 * MINUTE },
        { cause: { level: 'warn', kind: 'push-lag', number: 30 }, from: 9 * MINUTE, until: null },
      ],
      starts: [
        { replica: REPLICA, at: 1 * MINUTE, again: false },
        { replica: REPLICA, at: 7 * MINUTE, again: true },
      ],
      effects: {},
    };
    const marks = marksOf(log, 10 * MINUTE, String);
    expect(marks.bands.map(({ from, until, colour }) => [from, until, colour])).toEqual([
      [-1, 0, '--warn-soft'],
      [-6, -4, '--bad-soft'],
    ]);
    expect(marks.restarts).toEqual([-3]);
  });

  it('has none without a log', () => {
    expect(marksOf(null, 0, String)).toMatchObject({ bands: [], restarts: [] });
  });
});
