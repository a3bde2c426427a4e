import { backoffMs, refusedMs } from './backoff';

const highest = (): number => 0.999999;
const lowest = (): number => 0;

describe('The delay before an attempt', () => {
  it.each([
    [0, 1000],
    [1, 2000],
    [3, 8000],
    [4, 8000],
    [1000, 8000],
  ])('number %i is between 0 and %i ms', (attempt, limitMs) => {
    expect(backoffMs(attempt, lowest)).toBe(0);
    expect(backoffMs(attempt, highest)).toBeCloseTo(limitMs, -1);
  });

  it('is 5 to 15 s after a refusal', () => {
    expect(refusedMs(lowest)).toBe(5000);
    expect(refusedMs(highest)).toBeCloseTo(15_000, -1);
  });
});
