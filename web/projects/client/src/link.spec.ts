import { OPENING_LIMIT_MS, SILENCE_MS, backoffMs, deadline, newLink, silenceMs, wasStable } from './link.js';

const highest = (): number => 0.999999;
const lowest = (): number => 0;

describe('A link', () => {
  it('has a deadline while it opens and while it is open', () => {
    const link = newLink(1, 'ws', false, 100);
    expect(deadline(link)).toBe(100 + OPENING_LIMIT_MS);
    link.openedAt = 200;
    expect(deadline(link)).toBe(100 + SILENCE_MS);
    expect(deadline(null)).toBeNull();
  });

  it.each([
    [undefined, SILENCE_MS],
    [1_000, 10_000],
    [5_000, 12_000],
    [15_000, 32_000],
  ])('with a heartbeat every %s ms is dead after %s ms', (heartbeatMs, limitMs) => {
    expect(silenceMs(heartbeatMs)).toBe(limitMs);
  });

  it('was stable when it received an event or lasted', () => {
    const link = newLink(1, 'sse', false, 0);
    expect(wasStable(link, 60_000)).toBe(false);
    link.openedAt = 10;
    expect(wasStable(link, 1000)).toBe(false);
    expect(wasStable(link, 5010)).toBe(true);
    link.hasReceived = true;
    expect(wasStable(link, 1000)).toBe(true);
  });
});

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
});
