import { backoffMs, refusedMs } from './backoff';

const most = (): number => 0.999999;
const least = (): number => 0;

describe('The time before another attempt', () => {
  it.each([
    [0, 1000],
    [1, 2000],
    [3, 8000],
    [4, 8000],
    [1000, 8000],
  ])('of number %i is anything up to %i ms', (attempt, limitMs) => {
    expect(backoffMs(attempt, least)).toBe(0);
    expect(backoffMs(attempt, most)).toBeCloseTo(limitMs, -1);
  });

  it('is 5 to 15 s when there is no room', () => {
    expect(refusedMs(least)).toBe(5000);
    expect(refusedMs(most)).toBeCloseTo(15_000, -1);
  });
});
