import { EventId } from './event-id';
import { Missed } from './missed';

function at(seq: number): EventId {
  return { epoch: 'a', seq };
}

describe('What was missed', () => {
  it('is everything up to where the feed was at the return', () => {
    const missed = new Missed();
    expect(missed.covers(at(1))).toBe(false);
    missed.returned(at(3));
    expect([2, 3, 4].map((seq) => missed.covers(at(seq)))).toEqual([true, true, false]);
    expect(missed.covers({ epoch: 'b', seq: 1 })).toBe(false);
  });

  it('is counted afterwards when that is told later', () => {
    const missed = new Missed();
    missed.returned(null);
    expect([2, 3, 4].map((seq) => missed.covers(at(seq)))).toEqual([false, false, false]);
    expect(missed.decide(at(3))).toBe(2);
    expect(missed.covers(at(5))).toBe(false);
  });

  it('is not counted when that is never told', () => {
    const missed = new Missed();
    missed.returned(null);
    missed.covers(at(2));
    missed.giveUp();
    expect(missed.decide(at(3))).toBe(0);
  });
});
