import { OPENING_LIMIT_MS, SILENCE_MS, deadline, delayMs, hasWorked, newLink } from './link';

const half = (): number => 0.5;

describe('A link', () => {
  it('is waited for while it opens, and while it is open', () => {
    const link = newLink(1, 'ws', false, 100);
    expect(deadline(link)).toBe(100 + OPENING_LIMIT_MS);
    link.openedAt = 200;
    expect(deadline(link)).toBe(100 + SILENCE_MS);
    expect(deadline(null)).toBeNull();
  });

  it('has worked when it said something, or lasted', () => {
    const link = newLink(1, 'sse', false, 0);
    expect(hasWorked(link, 60_000)).toBe(false);
    link.openedAt = 10;
    expect(hasWorked(link, 1000)).toBe(false);
    expect(hasWorked(link, 5010)).toBe(true);
    link.saidSomething = true;
    expect(hasWorked(link, 1000)).toBe(true);
  });

  it('is tried again after what its service said, or longer each time', () => {
    const link = newLink(1, 'ws', false, 0);
    expect(delayMs(link, 1006, 100, 0, half)).toBe(500);
    expect(delayMs(link, 1006, 100, 2, half)).toBe(2000);
    expect(delayMs(link, 1013, 100, 0, half)).toBe(10_000);
    link.retryMs = 1234;
    expect(delayMs(link, 1012, 100, 0, half)).toBe(1234);
  });

  it('was refused when it is a stream that ended at once and without a word', () => {
    const link = newLink(1, 'sse', false, 0);
    expect(delayMs(link, null, 100, 0, half)).toBe(500);
    link.openedAt = 50;
    expect(delayMs(link, null, 100, 0, half)).toBe(10_000);
    expect(delayMs(link, null, 1050, 0, half)).toBe(500);
    link.saidSomething = true;
    expect(delayMs(link, null, 100, 0, half)).toBe(500);
  });
});
