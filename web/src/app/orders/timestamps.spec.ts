import { elapsed, parseTime } from './timestamps';

describe('parseTime', () => {
  it('keeps the microseconds', () => {
    expect(parseTime('2026-11-22T10:00:00.044363Z')).toBeCloseTo(Date.parse('2026-11-22T10:00:00Z') + 44.363, 3);
  });

  it.each([
    ['2026-11-22T10:00:00Z', '2026-11-22T10:00:00Z'],
    ['2026-11-22T12:00:00.5+02:00', '2026-11-22T10:00:00.500Z'],
  ])('reads %s', (text, same) => {
    expect(parseTime(text)).toBe(Date.parse(same));
  });

  it.each(['', 'yesterday', '2026-11-22', null, undefined])('is null for %s', (text) => {
    expect(parseTime(text)).toBeNull();
  });
});

describe('elapsed', () => {
  it.each([
    [1, 3, 2],
    [1, 1, 0],
    [3, 1, null],
    [null, 1, null],
    [1, null, null],
  ])('from %s to %s is %s', (from, to, expected) => {
    expect(elapsed(from, to)).toBe(expected);
  });
});
