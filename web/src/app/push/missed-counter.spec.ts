import { EventId } from './event-id';
import { MissedCounter } from './missed-counter';

function at(seq: number): EventId {
  return { epoch: 'a', seq };
}

describe('The missed notifications', () => {
  it('are those up to the head at reconnect', () => {
    const missed = new MissedCounter();
    expect(missed.covers(at(1))).toBe(false);
    missed.reconnected(at(3));
    expect([2, 3, 4].map((seq) => missed.covers(at(seq)))).toEqual([true, true, false]);
    expect(missed.covers({ epoch: 'b', seq: 1 })).toBe(false);
  });

  it('are counted when the head arrives later', () => {
    const missed = new MissedCounter();
    missed.reconnected(null);
    expect([2, 3, 4].map((seq) => missed.covers(at(seq)))).toEqual([false, false, false]);
    expect(missed.resolve(at(3))).toBe(2);
    expect(missed.covers(at(5))).toBe(false);
  });

  it('are not counted when the head stays unknown', () => {
    const missed = new MissedCounter();
    missed.reconnected(null);
    missed.covers(at(2));
    missed.giveUp();
    expect(missed.resolve(at(3))).toBe(0);
  });
});
