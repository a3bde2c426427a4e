import { duration } from './durations';

describe('duration', () => {
  it.each([
    [0, '0.0 ms'],
    [3.25, '3.3 ms'],
    [9.96, '10 ms'],
    [62.4, '62 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [4321, '4.32 s'],
    [59_900, '59.9 s'],
    [59_960, '1 min 0 s'],
    [3_723_400, '62 min 3 s'],
  ])('formats %s ms as %s', (ms, labels) => {
    expect(duration(ms)).toBe(labels);
  });
});
