import { OPENING_LIMIT_MS, SILENCE_MS, deadline, delayMs, wasStable, newLink } from './link';

const half = (): number => 0.5;

describe('A link', () => {
  it('has a deadline while it opens and while it is open', () => {
    const link = newLink(1, 'ws', false, 100);
    expect(deadline(link)).toBe(100 + OPENING_LIMIT_MS);
    link.openedAt = 200;
    expect(deadline(link)).toBe(100 + SILENCE_MS);
    expect(deadline(null)).toBeNull();
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

  it('has the delay of the service, or back-off', () => {
    const link = newLink(1, 'ws', false, 0);
    expect(delayMs(link, 1006, 100, 0, half)).toBe(500);
    expect(delayMs(link, 1006, 100, 2, half)).toBe(2000);
    expect(delayMs(link, 1013, 100, 0, half)).toBe(10_000);
    link.retryMs = 1234;
    expect(delayMs(link, 1012, 100, 0, half)).toBe(1234);
  });

  it('was refused when it is a stream that ended at once without an event', () => {
    const link = newLink(1, 'sse', false, 0);
    expect(delayMs(link, null, 100, 0, half)).toBe(500);
    link.openedAt = 50;
    expect(delayMs(link, null, 100, 0, half)).toBe(10_000);
    expect(delayMs(link, null, 1050, 0, half)).toBe(500);
    link.hasReceived = true;
    expect(delayMs(link, null, 100, 0, half)).toBe(500);
  });
});
